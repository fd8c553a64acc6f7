"""Which files are read, and which are told of instead."""

import os
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 1_000_000  # bytes of a file; what is longer is data
# Packages, what a build makes of sources, and the caches of tools. Other hidden folders are read:
# .github and .devcontainer hold code.
SKIPPED = set(
    """node_modules bower_components venv site-packages __pycache__ __pypackages__ target dist
    .git .hg .svn .venv .tox .nox .eggs .cache .mypy_cache .pytest_cache .ruff_cache
    .ipynb_checkpoints .idea .vs .next .nuxt .output .svelte-kit .angular .turbo .parcel-cache .vite
    .vercel .netlify .yarn .pnpm-store .gradle .m2 .cargo .dart_tool .build .terraform .aws-sam
    .serverless .expo""".split()
)
# What machines write: made smaller for browsers, or the versions that an installer chose
MADE = (
    ".min.js",
    ".min.mjs",
    ".bundle.js",
    "-min.js",
    "-lock.json",
    "-lock.yaml",
    "-shrinkwrap.json",
)

# {end of a file's name: the lexer of Pygments that reads it}
ENDS = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hpp", ".ino"), "cpp"),
    **dict.fromkeys((".kt", ".kts"), "kotlin"),
    **dict.fromkeys((".sh", ".bash", ".zsh"), "bash"),
    **dict.fromkeys((".ps1", ".psm1"), "powershell"),
    **dict.fromkeys((".html", ".htm", ".vue", ".svelte", ".astro", ".cshtml", ".razor"), "html"),
    **dict.fromkeys((".xml", ".csproj", ".fsproj", ".props", ".targets", ".plist"), "xml"),
    **dict.fromkeys((".json", ".jsonl", ".json5", ".jsonc", ".webmanifest"), "json"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    **dict.fromkeys((".env", ".ini", ".cfg", ".conf"), "ini"),
    **dict.fromkeys((".tf", ".tfvars", ".hcl"), "terraform"),
    **dict.fromkeys((".ex", ".exs"), "elixir"),
    **dict.fromkeys((".gradle", ".groovy"), "groovy"),
    **dict.fromkeys((".bicep", ".http", ".rest", ".graphql", ".proto", ".zig"), "plain"),
    ".go": "go",
    ".java": "java",
    ".scala": "scala",
    ".cs": "csharp",
    ".fs": "fsharp",
    ".vb": "vb.net",
    ".rs": "rust",
    ".swift": "swift",
    ".m": "objective-c",
    ".mm": "objective-c++",
    ".dart": "dart",
    ".php": "php",
    ".rb": "ruby",
    ".lua": "lua",
    ".pl": "perl",
    ".r": "splus",
    ".jl": "julia",
    ".clj": "clojure",
    ".bat": "batch",
    ".cmake": "cmake",
    ".toml": "toml",
    ".properties": "properties",
    # their code is found first: cells, fences
    ".ipynb": "python",
    ".md": "plain",
    ".mdx": "plain",
}
PROSE = {".md", ".mdx"}  # of which the code fences are read
# {a whole name: the end as which it is read}
NAMES = {
    "CMakeLists.txt": ".cmake",
    "Dockerfile": ".sh",
    "Containerfile": ".sh",
    "Makefile": ".sh",
    "Procfile": ".env",
    "Jenkinsfile": ".groovy",
    "Gemfile": ".rb",
    "Rakefile": ".rb",
    "requirements.txt": ".env",
    "sdkconfig": ".env",
}
FENCES = {
    "python": ".py",
    "javascript": ".js",
    "typescript": ".ts",
    "bash": ".sh",
    "shell": ".sh",
    "console": ".sh",
    "kotlin": ".kt",
    "csharp": ".cs",
    "ruby": ".rb",
    "rust": ".rs",
    "golang": ".go",
}


@dataclass
class Listing:
    """What stands in a folder: the files that are read; {end: how many} of types that are not;
    files that machines wrote; and the OSErrors of folders that could not be looked into.
    """

    read: list = field(default_factory=list)
    other: dict = field(default_factory=dict)
    made: list = field(default_factory=list)
    locked: list = field(default_factory=list)


def end_of(file):
    """As what a file is read: an end of `ENDS`, or its own."""
    if file.name.startswith(".env"):
        return ".env"
    return NAMES.get(file.name) or file.suffix.lower()


def files(path):
    """The files that `scan` reads in a folder, by the ends of their names. Of a file, itself."""
    return listing(path).read


def listing(path):
    """A Listing of a folder, or of one file, whatever its end. FileNotFoundError for a path that is
    not there.
    """
    path, found = Path(path), Listing()
    if not path.exists():
        raise FileNotFoundError(
            f"There is no {path}. Give the folder with your code, or one file of it."
        )
    if path.is_file():
        found.read.append(path)
        return found
    for folder, folders, names in os.walk(path, onerror=found.locked.append):
        here = Path(folder)
        folders[:] = sorted(
            d
            for d in folders
            # Path.exists raises for what lies in a locked folder
            if d not in SKIPPED and not os.path.exists(here / d / "pyvenv.cfg")
        )
        for name in sorted(names):
            file = here / name
            end = end_of(file)
            if not file.is_file():
                continue
            if name.endswith(MADE):
                found.made.append(file)
            elif end in ENDS:
                found.read.append(file)
            else:
                found.other[end or name] = found.other.get(end or name, 0) + 1
    return found
