"""A plain renderer of image graphs, written from the text of the specification and doc/spec-readings.md.

It knows nothing of the programs under test. Images are lists of entries; a tree is a dict from path to
file. Nothing is fast here and nothing is clever.

appc aci.md: "dependencies: dependent application images that need to be placed down into the rootfs before
the files from this image (if any). The ordering is significant." — "The dependencies are applied in order
and each image dependency can overwrite files from the previous dependency." — "pathWhitelist: whitelist of
absolute paths that will exist in the app's rootfs after rendering. This must be a complete and absolute
set. An empty list is equivalent to an absent value".
"""

import dataclasses


@dataclasses.dataclass
class Entry:
    """A member of an image below its rootfs: KIND is file, dir, symlink, hardlink, fifo or char."""

    path: str  # "" is the rootfs itself
    kind: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    data: bytes = b""
    target: str = ""  # of a symlink as written; of a hard link the path below the rootfs
    device: tuple = (0, 0)
    xattrs: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Image:
    name: str
    entries: list
    dependencies: list = dataclasses.field(default_factory=list)  # of Image
    whitelist: list = dataclasses.field(default_factory=list)


class File:
    """What a path leads to. Hard links lead to the same File."""

    def __init__(self, entry):
        self.kind = entry.kind
        self.mode = 0o777 if entry.kind == "symlink" else entry.mode
        self.uid, self.gid, self.mtime_ns = entry.uid, entry.gid, entry.mtime_ns
        self.data, self.target, self.device = entry.data, entry.target, entry.device
        self.xattrs = dict(entry.xattrs)


def parents(path):
    """The directories above PATH, the highest first, the root left out."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def is_below(path, top):
    return path.startswith(f"{top}/")


def layers(image, above=()):
    """(image, whitelists that hold for it), in the order in which they are applied."""
    lists = [*above, image.whitelist] if image.whitelist else list(above)
    for dependency in image.dependencies:
        yield from layers(dependency, lists)
    yield image, lists


def listed(path, kind, whitelist):
    """Whether WHITELIST lets PATH exist: it is listed, or it is a directory on the way to what is."""
    paths = [one.strip("/") for one in whitelist]
    return path == "" or path in paths or (kind == "dir" and any(is_below(one, path) for one in paths))


def remove(tree, path):
    for one in [one for one in tree if one == path or is_below(one, path)]:
        del tree[one]


def invented():
    return File(Entry("", "dir", mode=0o755))


def place(tree, path, file):
    """Puts FILE at PATH: whatever is in the way goes."""
    for parent in parents(path):
        if parent not in tree or tree[parent].kind != "dir":
            remove(tree, parent)
            tree[parent] = invented()
    if not (file.kind == "dir" and path in tree and tree[path].kind == "dir"):
        remove(tree, path)
    tree[path] = file


def render(image):
    tree = {"": invented()}
    for layer, lists in layers(image):
        own = {}  # regular files of this image, whether they are shown or not
        for entry in layer.entries:
            file = own[entry.target] if entry.kind == "hardlink" else File(entry)
            if entry.kind == "file":
                own[entry.path] = file
            if all(listed(entry.path, entry.kind, one) for one in lists):
                place(tree, entry.path, file)
    return tree
