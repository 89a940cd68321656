"""The same turn as a Python team would write it: FastAPI, the OpenAI Agents SDK and its session in Redis.

It promises less than the service: whoever names a user is believed, nothing bounds how much is asked, two turns of one session may run at
once, and a process that dies takes its turns along. LLM_URL, API_URL and REDIS_URL say where the others are. Run by uvicorn: `peer:app`.
"""

import os
from typing import Annotated

import httpx2
import redis.asyncio as redis
from agents import Agent, OpenAIChatCompletionsModel, Runner, SessionSettings, function_tool, set_tracing_disabled
from agents.extensions.memory import RedisSession
from fastapi import FastAPI, Header
from openai import AsyncOpenAI
from pydantic import BaseModel

# As much of the conversation as the others give to the model.
MESSAGES_MAX = 20
SESSION_SECONDS = 24 * 3600

set_tracing_disabled(True)
API = os.environ["API_URL"]
store = redis.Redis.from_url(os.environ["REDIS_URL"])
http = httpx2.AsyncClient()


@function_tool(name_override="getUsers")
async def get_users(page: int = 1, limit: int = 10) -> str:
    """List users."""
    reply = await http.get(f"{API}/users", params={"page": page, "limit": limit})
    return reply.text


agent = Agent(
    name="api",
    instructions="Call the API.",
    tools=[get_users],
    model=OpenAIChatCompletionsModel(model="stub", openai_client=AsyncOpenAI(api_key="none", base_url=os.environ["LLM_URL"])),
)
app = FastAPI()


class Message(BaseModel):
    message: str


@app.post("/api/process")
async def process(ask: Message, authorization: Annotated[str, Header()]):
    user = authorization.removeprefix("Bearer ")
    session = RedisSession(
        session_id=user, redis_client=store, ttl=SESSION_SECONDS, session_settings=SessionSettings(limit=MESSAGES_MAX)
    )
    result = await Runner.run(agent, ask.message, session=session)
    return {"success": True, "user_id": user, "message": result.final_output}
