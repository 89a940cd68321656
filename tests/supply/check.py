"""Looks at a bill of materials: `check.py BILL Cargo.toml Cargo.lock`. Prints `ok` or `FAIL` for each thing that it looks at, and exits with 1
if something is wrong. The form is judged by the validator of CycloneDX's own library, the content by Cargo's files."""
import copy
import json
import pathlib
import sys
import tomllib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

bill_file, manifest_file, lock_file = map(pathlib.Path, sys.argv[1:])
bill = json.loads(bill_file.read_text(encoding="utf-8"))
manifest = tomllib.loads(manifest_file.read_text(encoding="utf-8"))
lock = {(entry["name"], entry["version"]): entry.get("checksum") for entry in tomllib.loads(lock_file.read_text(encoding="utf-8"))["package"]}
components = {(one["name"], one["version"]): one for one in bill["components"]}
names = {name for name, _ in components}
failed = 0


def check(sentence, wrong):
    global failed
    if wrong:
        failed += 1
        print(f"  FAIL  {sentence}: {str(wrong)[:300]}")
    else:
        print(f"  ok    {sentence}")


def invalid(document):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


check("CycloneDX's own library finds it valid, strictly", invalid(bill))
spoilt = copy.deepcopy(bill)
spoilt["components"][0]["hashes"][0]["content"] = "no digest"
unnamed = copy.deepcopy(bill)
del unnamed["components"][0]["name"]
check("and would notice a bad digest and a missing name", not (invalid(spoilt) and invalid(unnamed)))

check("every component has the digest that Cargo.lock has", [key for key, one in components.items() if one["hashes"][0]["content"] != lock.get(key)])
check("and a licence", [key for key, one in components.items() if not one.get("licenses")])
check("there are more than a hundred", None if len(components) > 100 else f"only {len(components)}")
check("no component comes twice", len(components) != len(bill["components"]))
direct = {one.get("package", name) if isinstance(one, dict) else name for name, one in manifest["dependencies"].items()}
check("all direct dependencies are there", direct - names)
# What tests need may be needed by the program as well: of itself, with fewer features, or through another package.
root = bill["metadata"]["component"]["bom-ref"]
called = {one["bom-ref"]: one["name"] for one in bill["components"]}
through = {called.get(ref) for one in bill["dependencies"] if one["ref"] != root for ref in one.get("dependsOn", [])}
check("what only tests need is not", (set(manifest["dev-dependencies"]) & names) - direct - through)
check("and it is not the whole of Cargo.lock", len(components) + 1 >= len(lock))

needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
root = bill["metadata"]["component"]["bom-ref"]
reached, waiting = {root}, [root]
while waiting:
    for ref in needs[waiting.pop()]:
        if ref not in reached:
            reached.add(ref)
            waiting.append(ref)
check("from the program every component is reached, and nothing else", reached ^ {root, *(one["bom-ref"] for one in bill["components"])})
scopes = {name: one["scope"] for (name, _), one in components.items()}
check("what runs in the compiler only is told apart", {"tokio": "required", "serde_derive": "excluded"}.items() - scopes.items())
check("no time and no place stand in it", [word for word in ("timestamp", "/home/", "/root/", "file://") if word in bill_file.read_text(encoding="utf-8")])
sys.exit(failed > 0)
