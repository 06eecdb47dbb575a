"""Where a request goes: the models we know, and the rule that picks server, dialect and model. Pure."""
