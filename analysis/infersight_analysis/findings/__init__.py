"""What the verbs find, typed; their fields are the keys of the JSON, a contract that is only added to.

Durations are integer nanoseconds, times ISO 8601 in UTC with nanoseconds.
"""

from infersight_analysis.findings.abtest import (
    ArmDifference,
    ArmSize,
    DesignOption,
    EffectAt,
    ExperimentCheck,
    ExperimentChecks,
    ExperimentDesign,
    ExperimentResults,
    MetricEffect,
    SegmentEffect,
    SegmentStratum,
)
from infersight_analysis.findings.anomalies import Anomalies, Anomaly
from infersight_analysis.findings.around import (
    AnomalyAround,
    Exemplar,
    MetricAround,
    MovedSeries,
    NewTemplate,
    ServiceAround,
)
from infersight_analysis.findings.bursts import BurstCluster, BurstFault, BurstLink, Bursts, ErrorBurst, SharedTrait
from infersight_analysis.findings.comparison import Cohort, CohortPath, Comparison, Distinction, SameRequests, Support
from infersight_analysis.findings.critical_paths import CriticalPaths, PathTime, WhatIf
from infersight_analysis.findings.deployments import DeployedVersion, DeploymentMark, Deployments
from infersight_analysis.findings.errors import CommonFrame, Consequence, ErrorGroup, ErrorGroups, Touched
from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.fairness import DisparateImpact, Fairness, FairnessGap, GroupRate
from infersight_analysis.findings.investigation import (
    BaselineSummary,
    BatchMember,
    BatchRide,
    CodePlace,
    CodePlace,
    ExemplarPoint,
    Hypothesis,
    Investigation,
    LogLine,
    MetricPoint,
    PathStep,
    Piece,
    RepeatedCalls,
    TreeSpan,
    WorkerState,
)
from infersight_analysis.findings.regression import Regression, RegressionCase, RegressionSlice
from infersight_analysis.findings.releases import NewFault, ReleaseCheck, ReleaseMeasure, ReleaseSide
from infersight_analysis.findings.robustness import Repeated, Robustness, SaidOtherwise, VariationResult
from infersight_analysis.findings.rootcause import RootCause, Sign, Suspect
from infersight_analysis.findings.slow import SlowRequest, SlowRequests
from infersight_analysis.findings.trace_difference import ComparedRequest, PathDifference, TraceDifference
from infersight_analysis.findings.validation import InputViolation, ReportedViolation, RuleResult, Validation

__all__ = [
    "Anomalies",
    "Anomaly",
    "AnomalyAround",
    "ArmDifference",
    "ArmSize",
    "BaselineSummary",
    "BatchMember",
    "BatchRide",
    "BurstCluster",
    "BurstFault",
    "BurstLink",
    "Bursts",
    "CodePlace",
    "Cohort",
    "CohortPath",
    "CommonFrame",
    "ComparedRequest",
    "Comparison",
    "Consequence",
    "CriticalPaths",
    "DeployedVersion",
    "DeploymentMark",
    "Deployments",
    "DesignOption",
    "DisparateImpact",
    "Distinction",
    "EffectAt",
    "ErrorBurst",
    "ErrorGroup",
    "ErrorGroups",
    "Evidence",
    "Exemplar",
    "ExemplarPoint",
    "ExperimentCheck",
    "ExperimentChecks",
    "ExperimentDesign",
    "ExperimentResults",
    "Fairness",
    "FairnessGap",
    "GroupRate",
    "Hypothesis",
    "InputViolation",
    "Investigation",
    "LogLine",
    "MetricAround",
    "MetricEffect",
    "MetricPoint",
    "MovedSeries",
    "NewFault",
    "NewTemplate",
    "PathDifference",
    "PathStep",
    "PathTime",
    "Piece",
    "Regression",
    "RegressionCase",
    "RegressionSlice",
    "ReleaseCheck",
    "ReleaseMeasure",
    "ReleaseSide",
    "Repeated",
    "RepeatedCalls",
    "ReportedViolation",
    "Robustness",
    "RootCause",
    "RuleResult",
    "SaidOtherwise",
    "SameRequests",
    "SegmentEffect",
    "SegmentStratum",
    "ServiceAround",
    "SharedTrait",
    "Sign",
    "SlowRequest",
    "SlowRequests",
    "Support",
    "Suspect",
    "Touched",
    "TraceDifference",
    "TreeSpan",
    "Validation",
    "VariationResult",
    "WhatIf",
    "WorkerState",
]
