"""The dashboard of deploy/observe, held to Grafana's own model of dashboards: all that is written in it must be there when the model has read it
and writes it again. What Grafana does not know it would drop without a word.

Argument: the dashboard's file. Prints one sentence for each thing that is lost or comes back as another.
"""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(written, read, path):
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key in read:
                yield from lost(value, read[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is nothing that Grafana knows"
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for at, (one, other) in enumerate(zip(written, read)):
            yield from lost(one, other, f"{path}[{at}]")
    elif written != read:
        yield f"{path} is {json.dumps(written)[:80]}, and Grafana reads {json.dumps(read)[:80]}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        written = json.load(file)
    # Without them the model keeps what a panel says of its own kind as it is, whatever it says.
    register_default_plugins()
    model = Dashboard.from_json(written)
    wrong = list(lost(written, json.loads(json.dumps(model, cls=JSONEncoder)), "dashboard"))
    for sentence in wrong:
        print(sentence)
    sys.exit(bool(wrong) or not model.panels)


main()
