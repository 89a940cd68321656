"""What an administrator sees and does: users, sessions, the audit log.

    AGENT_PASSWORD=… python3 examples/python/administrator.py
"""

import urllib.parse

from agent import Refused, administrator, check, guests


def pages(agent, path, rows):
    """All pages of a list, one after another."""
    cursor = ""
    while cursor is not None:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = agent.send("GET", f"{path}?{urllib.parse.urlencode(query)}")
        yield from rows(page)
        cursor = page["next_cursor"]


def main():
    admin = administrator()
    with guests(admin, "ann", "bob", "cleo") as (ann, bob, _):
        ann.say("list the products")
        name = ann.session_info()["user_id"]

        users = [user["username"] for user in pages(admin, "/api/admin/users", lambda page: page["users"])]
        check("every user is listed once, page by page", name in users and len(users) == len(set(users)))
        sessions = dict(pages(admin, "/api/admin/sessions", lambda page: page["sessions_info"]["sessions"].items()))
        check("and every session", sessions[name]["session_id"] == ann.session_info()["session_id"])

        said = admin.send("GET", f"/api/admin/sessions/{name}/history")["history"]
        check("with the scope, what was said can be read", said[0]["content"] == "list the products")
        records = admin.send("GET", f"/api/admin/audit?user={name}&action=session_read")["records"]
        check("and that it was read is written down", len(records) == 1 and records[0]["user"] == name)

        before = ann.session_info()["session_id"]
        admin.send("DELETE", f"/api/admin/sessions/{name}")
        check("an ended session begins anew, and empty", ann.history() == [] and ann.session_info()["session_id"] != before)

        admin.send("PATCH", f"/api/admin/users/{name}", {"disabled": True})
        try:
            ann.history()
            check("Ann is shut out", False)
        except Refused as refused:
            check("a disabled user is shut out at the next request", refused.code == "token_revoked")
        check("others go on", bob.session_info()["is_active"])

        stats = admin.send("POST", "/api/admin/cleanup")["current_stats"]
        check("the totals are exact", stats["total_sessions"] == stats["active_sessions"] + stats["inactive_sessions"])


if __name__ == "__main__":
    main()
