"""A change that waits for a yes: by its id, in words, rejected, and too late.

    AGENT_PASSWORD=… python3 examples/python/confirmation.py        the service was started with REQUIRE_USER_CONFIRMATION=true
"""

from agent import Refused, administrator, check, guests


def people(agent, name):
    """Those of the shop who are called so."""
    return [user["id"] for user in agent.call("listUsers", search=name)["api_response"]["data"]["users"]]


def main():
    admin = administrator()
    with guests(admin, "ann", "bob") as (ann, bob):
        asked = ann.say("create a user named Zora with email zora@example.com")
        if not asked.get("awaiting_confirmation"):
            raise SystemExit("the service does not ask: start it with REQUIRE_USER_CONFIRMATION=true")
        question = asked["confirmation"]
        request = question["requests"][0]
        check("it shows what it would send", (request["method"], request["parameters"]["name"]) == ("POST", "Zora"))
        check("and has sent nothing", people(ann, "Zora") == [])

        try:
            bob.decide(question["id"], "approve")
            check("Bob cannot agree for Ann", False)
        except Refused as refused:
            check("nobody else can agree to it", refused.code == "confirmation_not_found")

        done = ann.decide(question["id"], "approve")
        check("approved, it is sent", done["function_calls"][0]["api_response"]["status_code"] == 201)
        made = people(ann, "Zora")
        check("once", len(made) == 1)
        try:
            ann.decide(question["id"], "approve")
            check("twice is once too often", False)
        except Refused as refused:
            check("a second approval sends nothing", refused.code == "confirmation_over" and people(ann, "Zora") == made)

        asked = ann.say(f"delete user {made[0]}")
        ann.decide(asked["confirmation"]["id"], "reject")
        check("rejected, nothing is sent", people(ann, "Zora") == made)

        ann.say(f"delete user {made[0]}")
        ann.say("yes")
        check("a plain yes is understood, as old clients say it", people(ann, "Zora") == [])

        asked = ann.say("create a user named Yuri with email yuri@example.com")
        ann.say("list users page 2")
        try:
            ann.decide(asked["confirmation"]["id"], "approve")
            check("the conversation went on", False)
        except Refused as refused:
            check("a yes after something else was said sends nothing", refused.code == "confirmation_over" and people(ann, "Yuri") == [])


if __name__ == "__main__":
    main()
