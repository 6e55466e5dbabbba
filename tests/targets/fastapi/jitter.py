"""The server as it is, JITTER=50-300 (milliseconds) later."""

import asyncio
import os
import random

from server_fastapi import app as served

SHORTEST, LONGEST = (float(part) / 1000 for part in os.environ.get("JITTER", "0-0").split("-"))


async def app(scope, receive, send):
    if scope["type"] == "http" and scope["path"].startswith("/api"):
        await asyncio.sleep(random.uniform(SHORTEST, LONGEST))
    await served(scope, receive, send)
