"""Writes src/Bruma/Text/Data/normalization.txt: what Unicode normalisation needs, since programs run without ICU.

Lines: "d XXXX YYYY YYYY" canonical decomposition, "k XXXX YYYY" compatibility decomposition, "c XXXX 230" combining class,
"x XXXX" canonical decomposition that is not composed again.
"""
import pathlib, sys, unicodedata as u

lines = [f"# Unicode {u.unidata_version}: decompositions (d canonical, k compatibility), combining classes (c), composition exclusions (x)"]
for c in range(sys.maxunicode + 1):
    d = u.decomposition(chr(c))
    if d:
        parts = d.split()
        compatible = parts[0].startswith("<")
        parts = parts[1:] if compatible else parts
        lines.append(f"{'k' if compatible else 'd'} {c:X} {' '.join(f'{int(p, 16):X}' for p in parts)}")
        if not compatible and len(parts) == 2 and u.normalize("NFC", chr(c)) != chr(c):
            lines.append(f"x {c:X}")
    if u.combining(chr(c)):
        lines.append(f"c {c:X} {u.combining(chr(c))}")
path = pathlib.Path(__file__).parent.parent / "src/Bruma/Text/Data/normalization.txt"
path.write_text("\n".join(lines) + "\n")
