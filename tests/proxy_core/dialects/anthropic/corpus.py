"""A request with one of everything that clients send, known and unknown."""

from __future__ import annotations

CACHE = {"type": "ephemeral", "ttl": "1h"}
PNG = {"type": "base64", "media_type": "image/png", "data": "aGk="}

ASSISTANT_BLOCKS = [
    {"type": "thinking", "thinking": "Look first.", "signature": "sig=="},
    {"type": "redacted_thinking", "data": "opaque"},
    {"type": "text", "text": "Looking.", "citations": None},
    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srv_1",
        "content": [{"type": "web_search_result", "title": "T", "url": "http://t", "encrypted_content": "zzz"}],
    },
    {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "read",
        "input": {"path": "a.txt", "n": 1.5},
        "caller": {"type": "x"},
    },
    {"type": "tool_use", "id": "toolu_2", "name": "list", "input": {}, "cache_control": CACHE},
]
RESULT_BLOCKS = [
    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "", "is_error": True},
    {
        "type": "tool_result",
        "tool_use_id": "toolu_2",
        "content": [
            {"type": "text", "text": "seen"},
            {"type": "image", "source": PNG},
            {"type": "tool_reference", "tool_name": "grep"},
            {"type": "tool_use", "name": "odd place"},
        ],
        "cache_control": CACHE,
    },
    {"type": "tool_result", "tool_use_id": "toolu_2"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "D"}, "title": "d.txt"},
    {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "C"}]}},
    {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    {"type": "image", "source": {"type": "file", "file_id": "file_2"}},
    {
        "type": "image",
        "source": {"type": "url", "url": "http://x/y.png"},
        "transformations": {"oversized_image": "error"},
    },
    {"type": "search_result", "source": "http://s", "title": "S", "content": [{"type": "text", "text": "found"}]},
    {"type": "block_of_2031", "stuff": [1, {"deep": None}]},
    {"type": "text", "text": "", "cache_control": CACHE},
]
RICH_BODY = {
    "model": "glm-4.6",
    "max_tokens": 1000,
    "stream": True,
    "temperature": 0.3,
    "top_p": 0.9,
    "top_k": 40,
    "stop_sequences": ["END", " "],
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2", "cache_control": CACHE},
        {"type": "text", "text": "Be brief."},
    ],
    "messages": [
        {"role": "user", "content": "Hello", "id": "m_1"},
        {"role": "assistant", "content": ASSISTANT_BLOCKS},
        {"role": "user", "content": RESULT_BLOCKS},
        {"role": "system", "content": "Mind the time."},
        {"role": "assistant", "content": "{"},
    ],
    "tools": [
        {"name": "read", "description": "Read.", "input_schema": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "list", "input_schema": {"type": "object", "properties": {}}},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "browser_toolset_20260801"},
    ],
    "tool_choice": {"type": "tool", "name": "read", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "metadata": {"user_id": "user_1"},
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    "betas": ["a-2026"],
    "field_of_2031": {"x": None},
    "odd\r\nname": 1,
    "service_tier": None,
}
