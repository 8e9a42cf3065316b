"""GitHub's objects in full, as its REST API shows them: every field its description requires."""

from __future__ import annotations

from typing import Any

API = "https://api.github.com"
SITE = "https://github.com"
WHEN = "2026-03-01T14:05:00Z"

_OF_A_USER = (
    "avatar", "events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred",
    "subscriptions", "html",
)  # fmt: skip
_OF_A_REPOSITORY = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks",
    "html", "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones",
    "notifications", "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams",
    "trees", "clone", "git", "ssh", "svn",
)  # fmt: skip
_NUMBERS = (
    "forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers",
    "watchers_count", "network_count", "subscribers_count",
)  # fmt: skip
_SWITCHES = (
    "fork", "private", "has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions",
    "archived", "disabled",
)  # fmt: skip
_LINKS = (
    "comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self",
)  # fmt: skip


def user(login: str) -> dict[str, Any]:
    """A person, or a bot by its login."""
    url = f"{API}/users/{login.removesuffix('[bot]')}"
    return {
        "id": sum(login.encode()),
        "node_id": f"U_{login}",
        "login": login,
        "gravatar_id": "",
        "site_admin": False,
        "type": "Bot" if login.endswith("[bot]") else "User",
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _OF_A_USER},
    }


def public_user(login: str) -> dict[str, Any]:
    """Whoever a token is of."""
    unknown = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
    numbers = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    dates = {"created_at": WHEN, "updated_at": WHEN}
    return {**user(login), **unknown, **numbers, **dates, "user_view_type": "public"}


def repository(full_name: str, identity: int = 11) -> dict[str, Any]:
    """A repository whose default branch is `main`."""
    owner, name = full_name.split("/")
    url = f"{API}/repos/{full_name}"
    return {
        "id": identity,
        "node_id": f"R_{identity}",
        "name": name,
        "full_name": full_name,
        "owner": user(owner),
        "default_branch": "main",
        "description": None,
        "homepage": None,
        "language": "Python",
        "license": None,
        "mirror_url": None,
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _OF_A_REPOSITORY},
        "html_url": f"{SITE}/{full_name}",
        **dict.fromkeys(_NUMBERS, 0),
        **dict.fromkeys(_SWITCHES, False),
        **dict.fromkeys(("pushed_at", "created_at", "updated_at"), WHEN),
    }


def pull(
    full_name: str,
    number: int,
    *,
    head: str,
    branch: str = "change",
    fork: tuple[str, int] | None = None,
    base: str = "main",
    state: str = "open",
    merged: str | None = None,
    merged_at: str = WHEN,
    title: str = "A change",
    body: str = "",
) -> dict[str, Any]:
    """A pull request as lists show it; `fork` is name and id of another repository, `merged` the commit it left."""
    url, page = f"{API}/repos/{full_name}/pulls/{number}", f"{SITE}/{full_name}/pull/{number}"
    here = repository(full_name)
    origin = repository(*fork) if fork else here
    return {
        "id": 1000 + number,
        "node_id": f"PR_{number}",
        "number": number,
        "state": "closed" if merged else state,
        "locked": False,
        "title": title,
        "body": body,
        "user": user("hubot" if fork else "octocat"),
        "labels": [],
        "author_association": "MEMBER",
        "merge_commit_sha": merged,
        "merged_at": merged_at if merged else None,
        "closed_at": merged_at if merged or state == "closed" else None,
        "created_at": WHEN,
        "updated_at": WHEN,
        **dict.fromkeys(("assignee", "milestone", "auto_merge")),
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": f"{API}/repos/{full_name}/issues/{number}",
        **{f"{name}_url": f"{url}/{name}" for name in ("comments", "commits", "statuses", "review_comments")},
        "review_comment_url": f"{url}/comments{{/number}}",
        "_links": {name: {"href": f"{url}/{name}"} for name in _LINKS},
        "head": _end(origin, branch, head),
        "base": _end(here, base, "b" * 40),
    }


def whole(shown: dict[str, Any], *, commits: int = 1) -> dict[str, Any]:
    """The same pull request as it is shown alone."""
    numbers = dict.fromkeys(("additions", "changed_files", "comments", "deletions", "review_comments"), 1)
    merged = shown["merged_at"] is not None
    alone = {"mergeable": None, "mergeable_state": "unknown", "maintainer_can_modify": False}
    by = user("octocat") if merged else None
    return {**shown, **numbers, **alone, "commits": commits, "merged": merged, "merged_by": by}


def commit(full_name: str, sha: str, parents: tuple[str, ...]) -> dict[str, Any]:
    """A commit with its parents."""
    url = f"{API}/repos/{full_name}/commits/{sha}"
    person = {"name": "octocat", "email": "octocat@example.com", "date": WHEN}
    tree = {"sha": "7" * 40, "url": f"{url}/tree"}
    return {
        "sha": sha,
        "node_id": f"C_{sha[:7]}",
        "url": url,
        "html_url": f"{SITE}/{full_name}/commit/{sha}",
        "comments_url": f"{url}/comments",
        "author": user("octocat"),
        "committer": user("octocat"),
        "commit": {"url": url, "author": person, "committer": person, "message": "m", "comment_count": 0, "tree": tree},
        "parents": [{"sha": parent, "url": url, "html_url": url} for parent in parents],
    }


def comment(full_name: str, identity: int, login: str, body: str) -> dict[str, Any]:
    """A comment on a pull request."""
    url = f"{API}/repos/{full_name}/issues/comments/{identity}"
    addresses = {"url": url, "html_url": f"{SITE}/{full_name}/pull/7#issuecomment-{identity}"}
    dates = {"created_at": WHEN, "updated_at": WHEN}
    issue = f"{API}/repos/{full_name}/issues/7"
    kept = {"id": identity, "node_id": f"IC_{identity}", "body": body, "user": user(login)}
    return {**kept, **addresses, **dates, "issue_url": issue, "author_association": "MEMBER"}


def artifact(full_name: str, identity: int, name: str, size: int) -> dict[str, Any]:
    """An artifact of a run."""
    url = f"{API}/repos/{full_name}/actions/artifacts/{identity}"
    dates = dict.fromkeys(("created_at", "updated_at", "expires_at"), WHEN)
    kept = {"id": identity, "node_id": f"A_{identity}", "name": name, "size_in_bytes": size, "expired": False}
    return {**kept, **dates, "url": url, "archive_download_url": f"{url}/zip"}


def _end(origin: dict[str, Any], branch: str, sha: str) -> dict[str, Any]:
    owner = origin["owner"]
    return {"label": f"{owner['login']}:{branch}", "ref": branch, "sha": sha, "user": owner, "repo": origin}
