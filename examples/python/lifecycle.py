"""The life of a session: it is there at the first request, goes on, is branched off, exported, wound back, begun anew, and ends when nobody uses it.

    AGENT_PASSWORD=… python3 examples/python/lifecycle.py

A session ends after sessions.idle_secs (a day) without use. Start the service with SAA_SESSIONS__IDLE_SECS=3 to see one end.
"""

import time
from datetime import datetime, timezone

from agent import Refused, administrator, check, guests

# No longer than this is waited for a session to end.
PATIENCE_SECS = 10


def main():
    admin = administrator()
    with guests(admin, "ann") as (ann,):
        first = ann.session_info()
        check("a session is there without asking", first["is_active"] and first["conversation_length"] == 0)
        ann.say("list users page 2")
        check("it is the same one at the next request", ann.session_info()["session_id"] == first["session_id"])
        check("and remembers", [role for role, _ in ann.history()] == ["user", "assistant"])

        orders = ann.send("POST", "/api/sessions", {"title": "Orders of May"})["session"]
        there = ann.in_session(orders["id"])
        there.say("list the orders")
        there.say("list the products")
        check("another session has a conversation of its own", len(there.history()) == 4 and len(ann.history()) == 2)
        found = ann.send("GET", "/api/sessions?search=may")["sessions"]
        check("it is found by its title", [session["id"] for session in found] == [orders["id"]])

        branch = ann.send("POST", f"/api/sessions/{orders['id']}/fork", {"turn": 1, "title": "Only the orders"})["session"]
        check("a branch has what was said before", branch["turns"] == 1 and len(ann.in_session(branch["id"]).history()) == 2)
        file = there.send("GET", f"/api/sessions/{orders['id']}/export")
        brought = ann.send("POST", "/api/sessions/import", file)["session"]
        check("as a file it goes elsewhere and comes back the same", ann.send("GET", f"/api/sessions/{brought['id']}/export") == file)
        wound_back = ann.send("POST", f"/api/sessions/{orders['id']}/rewind", {"turn": 1})["session"]
        check("winding back takes the newest turn out", wound_back["turns"] == 1 and len(there.history()) == 2)
        ann.send("DELETE", f"/api/sessions/{orders['id']}")
        try:
            there.history()
            check("it is gone", False)
        except Refused as refused:
            check("a session that was ended is gone", refused.code == "session_not_found")

        before = ann.tokens["token"]
        ann.refresh()
        check("a login goes on with new tokens, in the same session", ann.tokens["token"] != before and ann.session_info()["session_id"] == first["session_id"])

        anew = ann.send("POST", "/api/session/reset")["session_info"]
        check("begun anew it is another session, and empty", anew["session_id"] != first["session_id"] and ann.history() == [])

        ann.say("list users page 2")
        ends_at = datetime.fromisoformat(ann.session_info()["expires_at"].replace("Z", "+00:00"))
        left = (ends_at - datetime.now(timezone.utc)).total_seconds()
        if left > PATIENCE_SECS:
            print(f"        it would end by itself at {ends_at}, if nobody used it")
            return
        # Asking keeps it alive, so nobody asks.
        time.sleep(left + 1)
        last = ann.session_info()
        check("nobody used it, so it ended by itself", last["session_id"] != anew["session_id"] and last["conversation_length"] == 0)


if __name__ == "__main__":
    main()
