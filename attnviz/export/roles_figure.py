"""The picture of what a model's heads do, as a figure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from attnviz.export.figure import page_of, write_scene
from attnviz.export.roles_tables import roles_provenance
from attnviz.paint.fonts import text_width
from attnviz.scene.atlas.build import build_atlas

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.export.figure import Paper
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.scene.scene import Scene


def roles_scene(roles: HeadRoles, choice: AtlasChoice, paper: Paper) -> Scene:
    """The scene of such a figure: with caption and legend, as tall as it needs to be. Raises ExportError for a width outside 1.5 to
    60 inches."""
    theme, layout = page_of(paper)
    return build_atlas(roles, choice, theme, layout, text_width)


def save_roles_figure(roles: HeadRoles, choice: AtlasChoice, path: Path, paper: Paper) -> None:
    """Paint it and write it to `path`, with what it was measured of.

    Raises ExportError if the ending is not .png, .svg or .pdf, the picture would be too large, or the file cannot be written.
    """
    facts = json.dumps({**roles_provenance(roles), "picture": "atlas", **asdict(choice)}, ensure_ascii=False)
    write_scene(roles_scene(roles, choice, paper), path, paper, facts)
