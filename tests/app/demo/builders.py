"""Tools as real agents offer them, and conversations around them."""

from __future__ import annotations

from proxy_core.chat import Conversation, Message, Part, Text, Tool


def tool(name: str, required: dict[str, object], **optional: object) -> Tool:
    """A tool whose properties are JSON Schemas, or the names of types."""
    declared = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in (required | optional).items()}
    schema = {"type": "object", "properties": declared, "required": list(required)}
    return Tool(name, f"The tool {name}.", schema)


CLAUDE_WRITE = tool("Write", {"file_path": "string", "content": "string"})
CLAUDE_READ = tool("Read", {"file_path": "string"}, offset="number", limit="number")
CLAUDE_BASH = tool("Bash", {"command": "string"}, description="string", timeout="number")
CLAUDE = (
    tool("Task", {"prompt": "string"}),
    CLAUDE_BASH,
    CLAUDE_READ,
    CLAUDE_WRITE,
    tool("TodoWrite", {"todos": "array"}),
)
OPENCODE = (
    tool("bash", {"command": "string", "description": "string"}),
    tool("write", {"content": "string", "filePath": "string"}),
)
CODEX = (tool("shell", {"command": {"type": "array", "items": {"type": "string"}}}, workdir="string"),)
CODEX_PATCH = (tool("exec_command", {"cmd": "string"}), tool("apply_patch", {"input": "string"}))
CLINE = (
    tool(
        "write_to_file",
        {"path": {"type": "string", "description": "Path relative to the workspace"}, "content": "string"},
    ),
    tool("attempt_completion", {"result": "string"}),
)
WEATHER = (tool("get_weather", {"city": "string"}), tool("get_time", {"zone": "string"}))


def conversation(
    *messages: Message | str, tools: tuple[Tool, ...] = (), system: str = "", **fields: object
) -> Conversation:
    """A conversation; a string is a user message."""
    read = tuple(said(text) if isinstance(text, str) else text for text in messages)
    prompt = (Text(system),) if system else ()
    return Conversation("openai", "glm-4.6", read, prompt, tools, raw={"n": len(read)}, **fields)


def said(*parts: Part | str, role: str = "user") -> Message:
    """A message; a string is text."""
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))
