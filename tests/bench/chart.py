"""Draws the chart of the bench of the proxy: a panel of bars for each quantity. SVG 1.1, by hand, without scripts or
fonts of its own."""

from xml.sax.saxutils import escape

import forward_report

QUANTITIES = (*forward_report.RATES, forward_report.PROCESSOR_1)
COLUMNS = 2
WIDTH, LABEL, VALUE = 480, 150, 62  # of a panel, and in it of what stands left and right of the bars
BAR, GAP, HEAD, MARGIN = 15, 4, 34, 16
NAMES = {
    "none": "no proxy",
    "proxyd": "systemd-socket-proxyd",
    "pasta": "podman -p, pasta",
    "bridge": "podman -p, bridge",
    "docker": "docker -p",
    "haproxy-1": "HAProxy, 1 thread",
    "haproxy-2": "HAProxy, 2 threads",
    "sockwake": "sockwake",
}
COLOURS = {"none": "#c8c8c8", "sockwake": "#d9480f"}
OTHERS = "#7a96b4"


def draw(figures):
    panels = [panel(figures, quantity) for quantity in QUANTITIES]
    rows = -(-len(panels) // COLUMNS)
    height = HEAD + len(figures.titles) * (BAR + GAP) + MARGIN
    size = (COLUMNS * WIDTH, rows * height)
    placed = (
        f'<g transform="translate({number % COLUMNS * WIDTH} {number // COLUMNS * height})">\n{content}\n</g>'
        for number, content in enumerate(panels)
    )
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}"',
        ' font-family="sans-serif" font-size="12">',
        "<title>What each proxy forwards</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        *placed,
        "</svg>\n",
    ))


def panel(figures, quantity):
    values = {path: figures.median(path, quantity) for path in figures.titles}
    longest = max((value for value in values.values() if value), default=1)
    heading = quantity.heading + (" (less is better)" if quantity.less_is_better else "")
    lines = [text(MARGIN, 22, heading, 'font-weight="bold"')]
    for number, (path, value) in enumerate(values.items()):
        top = HEAD + number * (BAR + GAP)
        lines += bar(NAMES[path], quantity.show(value), (value or 0) / longest, top, COLOURS.get(path, OTHERS))
    return "\n".join(lines)


def bar(name, value, share, top, colour):
    length = share * (WIDTH - LABEL - VALUE - MARGIN)
    base = top + BAR - 3
    yield text(LABEL - 6, base, name, 'text-anchor="end"')
    yield f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>'
    yield text(LABEL + length + 5, base, value)


def text(x, y, content, attributes=""):
    return f'<text x="{x:.1f}" y="{y}" {attributes}>{escape(content)}</text>'
