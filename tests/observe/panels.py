"""The dashboard of deploy/observe, asked of a real Prometheus: every panel must have something to show.

Arguments: the URL of a Prometheus, the dashboard's file, seconds to look back, and where a page with the panels as pictures goes (HTML, without
anything from elsewhere). Prints a line for each panel; exits with 1 if one of them shows nothing.
"""

import html
import json
import math
import sys
import time
import urllib.parse
import urllib.request

# The size of a picture, in pixels.
WIDTH, HEIGHT = 460, 150
STEP_SECONDS = 5
# As Grafana chooses it: four times the interval of scrapes.
RATE_INTERVAL = "60s"
COLOURS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"]


def asked(prometheus, expression, seconds):
    now = time.time()
    query = {"query": expression.replace("$__rate_interval", RATE_INTERVAL), "start": now - seconds, "end": now, "step": STEP_SECONDS}
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(query)}", timeout=20) as reply:
        answer = json.load(reply)
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def named(target, labels):
    name = target.get("legendFormat") or ", ".join(f"{key}={value}" for key, value in labels.items()) or "all"
    for key, value in labels.items():
        name = name.replace("{{" + key + "}}", value)
    return name


def series_of(prometheus, panel, seconds):
    found = []
    for target in panel["targets"]:
        for one in asked(prometheus, target["expr"], seconds):
            points = [(float(at), float(value)) for at, value in one["values"]]
            points = [point for point in points if math.isfinite(point[1])]
            if points:
                found.append((named(target, one["metric"]), points))
    return found


def number(value):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


def picture(panel, found, since, until):
    title = html.escape(panel["title"])
    if panel["type"] == "stat":
        numbers = "".join(f"<b>{number(points[-1][1])}</b> <small>{html.escape(name)}</small> " for name, points in found)
        return f"<h2>{title}</h2><p>{numbers or 'nothing'}</p>"
    top = max((value for _, points in found for _, value in points), default=1) or 1
    lines, legend = [], []
    # The busiest first: those are whom one looks for.
    for place, (name, points) in enumerate(sorted(found, key=lambda one: -one[1][-1][1])):
        colour = COLOURS[place % len(COLOURS)]
        drawn = " ".join(f"{(at - since) / (until - since) * WIDTH:.1f},{HEIGHT - value / top * (HEIGHT - 8):.1f}" for at, value in points)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{drawn}"/>')
        if place < 8:
            legend.append(f'<span style="color:{colour}">■</span> {html.escape(name)} {number(points[-1][1])}')
    return (
        f'<h2>{title}</h2><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="#1a1c20"/>'
        f'<text x="4" y="12" fill="#888" font-size="10">{number(top)}</text>{"".join(lines)}</svg><p>{" &nbsp; ".join(legend) or "nothing"}</p>'
    )


def main():
    prometheus, file, seconds, page = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    with open(file, encoding="utf-8") as opened:
        dashboard = json.load(opened)
    until = time.time()
    cells, empty = [], []
    for panel in dashboard["panels"]:
        found = series_of(prometheus, panel, seconds)
        print(f"        {panel['title']}: " + (", ".join(f"{name} {number(points[-1][1])}" for name, points in found[:6]) or "nothing"))
        if not found:
            empty.append(panel["title"])
        cells.append(f"<section>{picture(panel, found, until - seconds, until)}</section>")
    with open(page, "w", encoding="utf-8") as written:
        written.write(
            "<!doctype html><meta charset=utf-8><style>body{background:#111217;color:#ccc;font:12px sans-serif;display:grid;"
            f"grid-template-columns:repeat(3,{WIDTH}px);gap:14px}}h2{{font-size:13px;margin:0 0 4px}}p{{margin:2px 0}}b{{font-size:26px;color:#7eb26d}}"
            f"</style><title>{html.escape(dashboard['title'])}</title>{''.join(cells)}"
        )
    if empty:
        sys.exit(f"panels without anything to show: {', '.join(empty)}")


main()
