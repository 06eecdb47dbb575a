from __future__ import annotations

from app.doctor.examine import PROBES

PORT_TAKEN = "upstream_base: http://127.0.0.1:5055/api\nport: 5055\n"


def test_a_sound_instance_passes(say, running):
    answer = say("doctor", "--json", home=running)
    grades = {line["probe"]: line["grade"] for line in answer.facts["probes"]}
    assert (answer.code, list(grades)) == (0, [name for name, _ in PROBES])
    assert (grades["port"], grades["key accepted"], answer.facts["counts"]["fail"]) == ("pass", "pass", 0)


def test_a_fault_is_named_with_its_remedy(say, tmp_path):
    (tmp_path / "config.yaml").write_text("host: 0.0.0.0\nport: 0\n")
    answer, facts = say("doctor", "--offline", home=tmp_path), say("doctor", "--offline", "--json", home=tmp_path)
    assert (answer.code, facts.code) == (1, 1)
    assert "fail  exposure" in answer.out
    assert "Set PROXY_ACCESS_KEY" in answer.out


def test_what_is_safe_is_fixed(say, tmp_path):
    home = tmp_path / ".anthropic-proxy"
    home.mkdir(mode=0o755)
    (home / "config.yaml").write_text("port: 0\n")
    (home / "runtime.json").write_text("{")
    before, after = say("doctor", "--offline", home=home), say("doctor", "--offline", "--fix", "--json", home=home)
    assert "(--fix does it)" in before.out
    assert (len(after.facts["fixed"]), home.stat().st_mode & 0o777, (home / "runtime.json").exists()) == (
        2,
        0o700,
        False,
    )
