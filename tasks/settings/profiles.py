"""Profiles: one settings file for a test and a live installation, of which `profile` chooses one.

`[profiles.NAME]` holds tables of the file (`[profiles.live.prima]`), whose keys replace those of the file. A profile
has its own address of PRIMA and its own ledger: a number that the test system has taken says nothing of the live one.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

Content = dict[str, Any]
ADDRESS = ("wsdl_url", "base_url", "endpoint_url")


def chosen(content: Content) -> tuple[str, dict[str, Content], list[str]]:
    """Return the name of the chosen profile, the whole settings by profile name, and what is wrong with the profiles.

    Without profiles the name is empty, and the only entry is the file as it is.
    """
    shared = {key: value for key, value in content.items() if key not in ("profile", "profiles")}
    name, profiles = content.get("profile", ""), content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
        return "", {"": shared}, ["profiles: must be tables: [profiles.test.prima], [profiles.live.prima]"]
    known = ", ".join(profiles) or "none"
    if not profiles:
        return "", {"": shared}, [f"profile: is {name!r}, but the file has no [profiles.{name}...]"] if name else []
    problems = list(_separate(profiles))
    if name not in profiles:
        problems.insert(0, f"profile: is {name!r}, and must be one of the file's profiles: {known}" if name else
                        f"profile: is missing: it chooses one of the file's profiles: {known}")  # fmt: skip
    whole = {each: {**merged(shared, profile), "profile": each} for each, profile in profiles.items()}
    return (name if name in profiles else next(iter(profiles))), whole, problems


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> Content:
    """Return the tables with the keys of a profile put over them; a list is replaced as a whole."""
    result = dict(shared)
    for key, value in own.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def stands_in(profile: Mapping[str, Any], location: tuple[str | int, ...]) -> bool:
    """Say whether a key, or the table that lacks it, is the profile's own."""
    here: Any = profile
    for part in location:
        if isinstance(here, dict):
            if part not in here:
                return False
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return False
    return bool(location)


def _separate(profiles: Mapping[str, Any]) -> list[str]:
    """Return what keeps profiles from being apart: each must have its own PRIMA and its own ledger."""
    problems = []
    owned: dict[str, list[Any]] = {"an address of PRIMA": [], "a ledger": []}
    for name, profile in profiles.items():
        prima, ledger = profile.get("prima", {}), profile.get("ledger", {})
        address = next((prima[key] for key in ADDRESS if prima.get(key)), "") if isinstance(prima, dict) else ""
        url = ledger.get("url", "") if isinstance(ledger, dict) else ""
        if not address:
            problems.append(f"profiles.{name}.prima.wsdl_url: is missing: each profile names its own PRIMA")
        if not url:
            problems.append(f"profiles.{name}.ledger.url: is missing: each profile names its own ledger")
        owned["an address of PRIMA"].append(address)
        owned["a ledger"].append(url)
    for what, values in owned.items():
        if any(count > 1 for value, count in Counter(map(str, values)).items() if value):
            problems.append(f"profiles: two of them share {what}, so test and live would be mixed up")
    return problems
