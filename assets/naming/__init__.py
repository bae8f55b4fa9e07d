"""Names and places in the production tree: pure functions on a frozen NameContext, never on a row.

Templates are a project's own (`NamingTemplates`), are checked before they are saved (`check_templates`), and are
read backwards (`read_name`): a path or a file name says which project, scene, shot, kind and version it is. Names
may be Korean; what a filesystem refuses is replaced by rule (`safe_name`).
"""

from assets.naming.checking import Checked, Example, Problem, check_templates
from assets.naming.context import DEFAULT_SCENE, KIND_FOLDERS, KINDS, NameContext
from assets.naming.matching import NotRead
from assets.naming.reading import Known, SeveralReadings, describe, path_parts, read_below, read_name
from assets.naming.template import TOKENS, Template, TemplateError, parse_template
from assets.naming.templates import (
    ALLOWED,
    DEFAULTS,
    FOLDERS,
    PROJECT_FOLDERS,
    NamingTemplates,
    compile_template,
)
from assets.naming.words import MAX_BYTES, MAX_PART_BYTES, collision_key, path_key, safe_name

__all__ = [
    "ALLOWED",
    "DEFAULTS",
    "DEFAULT_SCENE",
    "FOLDERS",
    "KINDS",
    "KIND_FOLDERS",
    "MAX_BYTES",
    "MAX_PART_BYTES",
    "PROJECT_FOLDERS",
    "TOKENS",
    "Checked",
    "Example",
    "Known",
    "NameContext",
    "NamingTemplates",
    "NotRead",
    "Problem",
    "SeveralReadings",
    "Template",
    "TemplateError",
    "check_templates",
    "collision_key",
    "compile_template",
    "describe",
    "parse_template",
    "path_key",
    "path_parts",
    "read_below",
    "read_name",
    "safe_name",
]
