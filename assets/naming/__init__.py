"""Names and places in the production tree: pure functions on a frozen NameContext, never on a row.

Templates are a project's own (`NamingTemplates`), are checked before they are saved (`check_templates`), and are
read backwards (`read_name`): a path or a file name says which project, scene, shot, kind and version it is. Names
may be Korean; what a filesystem refuses is replaced by rule (`safe_name`).
"""

from assets.naming.context import DEFAULT_SCENE, KIND_FOLDERS, KINDS, NameContext
from assets.naming.template import TOKENS, Template, TemplateError, parse_template
from assets.naming.templates import (
    ALLOWED,
    DEFAULTS,
    FOLDERS,
    PROJECT_FOLDERS,
    NamingTemplates,
    character_folder,
    compile_template,
    environment_folder,
    owner_folder,
    scene_folder,
    shot_folder,
    version_folder,
)
from assets.naming.words import MAX_BYTES, MAX_PART_BYTES, collision_key, path_key, safe_name

__all__ = [
    "ALLOWED", "DEFAULTS", "DEFAULT_SCENE", "FOLDERS", "KINDS", "KIND_FOLDERS", "MAX_BYTES", "MAX_PART_BYTES",
    "PROJECT_FOLDERS", "TOKENS", "NameContext", "NamingTemplates", "Template", "TemplateError", "character_folder",
    "collision_key", "compile_template", "environment_folder", "owner_folder", "parse_template", "path_key",
    "safe_name", "scene_folder", "shot_folder", "version_folder",
]  # fmt: skip
