"""How it looks: the terminal's own colours, so that light and dark terminals both stay as their users like them."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

THEME = Theme(
    name="terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "block-cursor-foreground": "ansi_bright_white",
        "block-cursor-background": "ansi_blue",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": "ansi_default",
        "block-cursor-blurred-background": "ansi_default",
        "input-cursor-text-style": "reverse",
        "border": "ansi_blue",
        "border-blurred": "ansi_default",
    },
)

CSS = """
Screen { background: ansi_default; color: ansi_default; }
ModalScreen { background: transparent; align: center middle; }
#head, #tabs, #keys { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
#head { text-style: reverse; }
#head.-bad { color: ansi_red; }
#tabs { margin-bottom: 1; padding: 0 1; }
#pages { height: 1fr; }
#message { height: auto; max-height: 4; padding: 0 1; color: ansi_green; display: none; }
#message.-said { display: block; }
#message.-bad { color: ansi_red; }
#keys { padding: 0 1; }
Page { height: 1fr; padding: 0 1; }
VerticalScroll, FactTable, RichLog { background: ansi_default; scrollbar-size-vertical: 1; }
FactTable { height: 1fr; }
FactTable > .datatable--header { text-style: bold; background: ansi_default; color: ansi_default; }
FactTable > .datatable--cursor { background: ansi_blue; color: ansi_bright_white; }
RichLog { height: 1fr; }
#log-foot { height: 1; text-style: dim; text-wrap: nowrap; text-overflow: ellipsis; }
#config-help { height: 4; border-top: solid ansi_default; }
#graphs { grid-size: 1; grid-rows: 1fr; grid-gutter: 1; }
.-wide #graphs { grid-size: 2; }
.dialog { width: 70; max-width: 95%; height: auto; max-height: 95%; border: round ansi_blue; padding: 0 1; }
.dialog { background: ansi_default; }
.dialog-large { width: 95%; max-width: 110; height: 95%; }
.dialog-large VerticalScroll { height: 1fr; }
.dialog-title { text-style: bold; }
.dialog-keys { text-style: dim; margin-top: 1; }
.dialog Input { border: none; height: 1; margin-top: 1; text-style: underline; }
.dialog OptionList { height: auto; max-height: 10; border: none; margin-top: 1; background: ansi_default; }
#edit-problem { color: ansi_red; }
"""
