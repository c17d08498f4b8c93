"""list: what can be loaded and what is stored."""

from analysis.commands.terminal import leads_to


def add(verbs) -> None:
    p = verbs.add_parser("list", help="what can be loaded and what is stored", description="Built-in models and datasets, and what the store holds.")
    p.add_argument("what", nargs="*", choices=("models", "datasets", "stored", []), default=[], help="one part of the list (default: all)")
    leads_to(p, run)


def run(options) -> dict:
    from analysis.data import catalogue
    from analysis.models import catalogue as models
    from analysis.store import default

    parts, store = options.what or ["models", "datasets", "stored"], default()
    report = {}
    if "models" in parts:
        report["models"] = [{"id": m.id, "name": m.name, "about": m.about} for m in models()]
    if "datasets" in parts:
        report["datasets"] = [{"id": d.id, "name": d.name, "about": d.about} for d in catalogue()]
    if "stored" in parts:
        every = store.entries()
        report["stored"] = [{"kind": e.kind, "key": e.key, "bytes": e.bytes, **_short(e.facts)} for e in every if not e.part]
        report["store"] = {"folder": str(store.folder), "bytes": store.size(), "parts": sum(e.bytes for e in every if e.part), "cap": store.cap}
    if options.json != "-":
        for part in parts:
            print(f"{part}{f' ({store.folder}, {store.size() / 1e6:.1f} of {store.cap / 1e6:.0f} MB)' if part == 'stored' else ''}")
            for row in report[part]:
                title = row.get("id") or f"{row['kind']:<16}{row['key']}  {row['bytes'] / 1e6:7.1f} MB"
                print(f"  {title:<40} {row.get('about') or row.get('what', '')}")
    return report


def _short(facts: dict) -> dict:
    manifest = facts.get("manifest", {})
    model, data = manifest.get("model", {}).get("name"), manifest.get("dataset", {}).get("name")
    return {"what": f"{model} on {data}" if model else facts.get("name") or facts.get("origin") or facts.get("unit", ""), "created": facts.get("created")}
