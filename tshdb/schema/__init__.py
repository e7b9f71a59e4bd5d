"""The tables: one module a subject. Importing this package registers them all on `Base.metadata`."""

from tshdb.schema.base import Base, UnitPayload
from tshdb.schema.clinical import Annotation, ClinicalValue, Conflict, FollowUp, Patient
from tshdb.schema.cohort import Cohort, CohortMember, CohortVersion
from tshdb.schema.engine import Attempt, Lease, Run, Spec, Unit, UnitInput
from tshdb.schema.expression import ExpressionPart, ExpressionProfile, Gene, Sample
from tshdb.schema.provenance import Change, IngestIssue, IngestRun, SourceFile, SourceRecord, SourceRelease
from tshdb.schema.results import CellAbundance, CoxTerm, GeneFilter, MarkerGene, TshRatio

__all__ = [
    "Annotation", "Attempt", "Base", "CellAbundance", "Change", "ClinicalValue", "Cohort", "CohortMember", "CohortVersion",
    "Conflict", "CoxTerm", "ExpressionPart", "ExpressionProfile", "FollowUp", "Gene", "GeneFilter", "IngestIssue",
    "IngestRun", "Lease", "MarkerGene", "Patient", "Run", "Sample", "SourceFile", "SourceRecord", "SourceRelease", "Spec",
    "TshRatio", "Unit", "UnitInput", "UnitPayload",
]  # fmt: skip
