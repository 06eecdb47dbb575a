"""The proxy as a library: no Qt, no keyring, no environment; usable from a script without `app`.

A request walks forward once:

    server/      the door: who may come in, JSON in, bytes out, faults in the caller's envelope
    pipeline     read → trim → route → condense → write → send → turn → tell; a short list of calls, no `if dialect`
    upstream/    I/O towards the servers: one client session, timeouts, foreign exceptions become ours here
    telemetry/   listens to events and keeps the figures that faces show
    routing/     pure: which server, dialect and model, and why; the models as data
    dialects/    pure: one room per wire language, each with readers and writers for requests, whole answers,
                 streams and errors; all are spoken to clients, some to upstreams as well; `table.py` is the list,
                 `base.py` the plan
    context/     pure: smaller prompts, the edits themselves
    stores/      what was paid for once and is kept: files
    pictures     pure: made to fit into what upstreams take
    tokens/      pure: counting, learning from what models report, scaling
    wire/        pure: server-sent events, headers
    events       what happened, told to whoever listens
    ledger       what was done to a prompt and what it cost
    chat         the middle: one conversation, one answer, one stream of deltas in our own words
    settings, errors, redact, facts     the ground floor
    upstream_codes                      what the upstreams' error codes mean and what follows, as data

Hub and spokes: every dialect reads into `chat` and writes out of it. Where client and upstream speak the same
dialect nothing is rendered anew: the raw request goes on with only the edited parts replaced, and the answer's bytes
go through as they came, merely read on the way.

One client session and one event loop for everything; CPU work above a few milliseconds (counting, pictures) goes
to a thread. There is no socket read timeout: it would arm a timer per chunk. One watchdog per reply stands guard
instead.
"""
