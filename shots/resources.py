"""The sheets of the shot list in the admin: their columns are the table's."""

from aipipeline.tables.resources import sheet_resource
from shots.tables import ShotTable

ShotSheet = sheet_resource("ShotSheet", ShotTable, "shots")
TechnicalSheet = sheet_resource("TechnicalSheet", ShotTable, "technical")
