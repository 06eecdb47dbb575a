"""The floor that we are measured against: the least an aiohttp pass-through can do. No parsing, no log, no checks.

usage: python -m tests.bench.bare UPSTREAM_PORT PORT [--qt]  → serves until it is ended

--qt: the same on a stock qasync loop beside a pyqtgraph plot, the floor for memory and start of a tray program.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, ClientTimeout, web

SESSION = web.AppKey("session", ClientSession)
PATHS = {"/v1/messages": "/api/anthropic/v1/messages", "/v1/chat/completions": "/api/coding/paas/v4/chat/completions"}


def make_app(upstream_port: int) -> web.Application:
    async def open_session(app: web.Application):
        app[SESSION] = ClientSession(f"http://127.0.0.1:{upstream_port}", timeout=ClientTimeout(total=None))
        yield
        await app[SESSION].close()

    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {"content-type": "application/json"}
        async with request.app[SESSION].post(PATHS[request.path], data=body, headers=headers) as answer:
            if "content-length" in answer.headers:
                return web.Response(body=await answer.read(), content_type=answer.content_type)
            reply = web.StreamResponse(headers={"content-type": answer.content_type})
            await reply.prepare(request)
            async for chunk in answer.content.iter_any():
                await reply.write(chunk)
            await reply.write_eof()
            return reply

    app = web.Application(client_max_size=64 << 20)
    app.cleanup_ctx.append(open_session)
    app.router.add_routes([web.post(path, forward) for path in PATHS])
    return app


async def serve(upstream_port: int, port: int) -> None:
    runner = web.AppRunner(make_app(upstream_port), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    await asyncio.Event().wait()


def main() -> None:
    upstream_port, port = int(sys.argv[1]), int(sys.argv[2])
    if "--qt" not in sys.argv:
        asyncio.run(serve(upstream_port, port))
    from pyqtgraph import PlotWidget, mkQApp
    from qasync import QEventLoop

    loop = QEventLoop(mkQApp())
    plot = PlotWidget()
    plot.show()
    loop.run_until_complete(serve(upstream_port, port))


if __name__ == "__main__":
    main()
