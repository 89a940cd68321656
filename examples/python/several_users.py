"""Several users at once, and none sees anything of another.

    AGENT_PASSWORD=… python3 examples/python/several_users.py
"""

from concurrent.futures import ThreadPoolExecutor

from agent import Refused, administrator, check, guests

NAMES = ["ann", "bob", "张三", "dora", "emil"]


def main():
    admin = administrator()
    with guests(admin, *NAMES) as users, ThreadPoolExecutor(len(users)) as at_once:
        # Each asks for another page, all at the same time: turns of different users never wait for each other.
        answers = list(at_once.map(lambda pair: pair[1].say(f"list users page {pair[0] + 1} limit 3"), enumerate(users)))
        for page, answer in enumerate(answers, 1):
            asked = answer["function_calls"][0]["call_info"]["parameters"]
            check(f"user {page} was answered page {page}", asked["page"] == page)

        check("each has a session of their own", len({user.session_info()["session_id"] for user in users}) == len(users))
        for page, user in enumerate(users, 1):
            said = [text for role, text in user.history() if role == "user"]
            check(f"user {page} sees their own message and no other", said == [f"list users page {page} limit 3"])

        ann, bob = users[:2]
        try:
            ann.in_session(bob.session_info()["session_id"]).history()
            check("Bob's session is not Ann's", False)
        except Refused as refused:
            check("Bob's session is not there for Ann, whatever she calls it", refused.code == "session_not_found")
        try:
            ann.send("GET", f"/api/runs/{answers[1]['run_id']}")
            check("Bob's run is not Ann's", False)
        except Refused as refused:
            check("nor is his run", refused.code == "run_unknown")
        try:
            ann.send("GET", "/api/admin/sessions")
            check("Ann is no administrator", False)
        except Refused as refused:
            check("nor may she look at everybody's", refused.code == "not_admin")


if __name__ == "__main__":
    main()
