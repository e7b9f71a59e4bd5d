"""Files that lie beside expression and are none: each is named, alone and in a folder, and nothing of them is loaded."""

from __future__ import annotations

import pytest

from tests.ingest.zoo.judge import Refused, judge, look_at_matrix, matrix, written
from tshdb.actions import own_folder

GENE = "ENSG00000153563"
MAKES = {  # what is in it, what is said, what helps
    "mutations of cBioPortal": (
        "#version 2.4\nHugo_Symbol\tEntrez_Gene_Id\tNCBI_Build\tTumor_Sample_Barcode\nTP53\t7157\tGRCh37\tTCGA-Z1-Q001-01\n",
        "mutations (MAF)", "not read",
    ),
    "mutations without a build": (
        "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\nTP53\tMissense\tTCGA-Z1-Q001-01\n",
        "mutations (MAF)", "not read",
    ),
    "losses and gains": (
        "Hugo_Symbol\tTCGA-Z1-Q001-01\tTCGA-Z1-Q002-01\nTP53\t-2\t0\nCD8A\t1\t-1\nESR1\t0\t2\n", "copy numbers", "not read",
    ),
    "segments": (
        "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean\nS1\t1\t10\t99\t5\t0.2\n", "segments of copy numbers", "not read",
    ),
    "sites of methylation": (matrix(("cg00000029", "cg00000108", "cg00000109")), "sites of methylation", "not read"),
    "proteins": (matrix(("P04637", "P03372", "Q9NQ94")), "proteins", "not read"),
    "RefSeq's transcripts": (matrix(("NM_001145701", "NM_000546", "NM_000125")), "transcripts", "tximport"),
    "kallisto's, with Gencode's names": (
        matrix(("ENST00000456328.2|ENSG00000223972.5|A|", "ENST00000456329.2|ENSG00000223973.5|B|")), "transcripts", "tximport",
    ),
    "nf-core's transcripts": (
        matrix((f"ENST00000153563\t{GENE}", "ENST00000141510\tENSG00000141510"), head="tx\tgene_id"), "transcripts", "tximport",
    ),
    "salmon's genes of one sample": (
        f"Name\tLength\tEffectiveLength\tTPM\tNumReads\n{GENE}\t900\t700\t2.5\t40\n", "quant.genes.sf: the genes", "Merge",
    ),
    "StringTie's genes of one sample": (
        f"Gene ID\tGene Name\tReference\tStrand\tStart\tEnd\tCoverage\tFPKM\tTPM\n{GENE}\tCD8A\tchr2\t-\t1\t9\t3.5\t1.2\t2.5\n",
        "StringTie", "Merge",
    ),
    "featureCounts' summary": (
        "Status\tA.bam\tB.bam\nAssigned\t100\t200\nUnassigned_Unmapped\t0\t0\n", "summary of reads", "counts",
    ),
    "results of DESeq2": (
        "gene,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj\nTP53,100,-1.5,0.2,-7,0.001,0.01\n", "DESeq2", "of counts",
    ),
    "results of edgeR": ("gene,logFC,logCPM,F,PValue,FDR\nTP53,-1.5,4,9,0.001,0.01\n", "edgeR", "from which they were made"),
    "results of limma": ("gene,logFC,AveExpr,t,P.Value,adj.P.Val,B\nTP53,-1,4,9,0.01,0.1,2\n", "limma", "of counts"),
    "a list of cases of cBioPortal": (
        "cancer_study_identifier: x\nstable_id: x_all\ncase_list_ids: A\tB\n", "a meta file", "data_",
    ),
    "XML": ('<?xml version="1.0"?>\n<Workbook/>\n', "XML", "xlsx"),
    "a word processor's text": ("{\\rtf1\\ansi gene}\n", "word processor", "CSV"),
}  # fmt: skip


@pytest.mark.parametrize("make", MAKES)
def test_what_is_no_matrix_is_named(zoo_study, tmp_path, make):
    data, what, repair = MAKES[make]
    words = ".*".join(w.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.") for w in (what, repair))
    judge(look_at_matrix(zoo_study, tmp_path, data), Refused(words))


def test_in_a_folder_each_is_named_too_and_none_is_loaded(zoo_study, tmp_path):
    for i, (data, _, _) in enumerate(MAKES.values()):
        written(tmp_path, f"{i:02d}.txt", data)
    found = {f.paths[0].name: f for f in own_folder.look(zoo_study, tmp_path, "own").files}
    for i, (make, (_, what, _)) in enumerate(MAKES.items()):
        file = found[f"{i:02d}.txt"]
        assert what in f"{file.what} {file.needs}" and file.load is None and not file.command, (make, file)


CLINICAL = {
    "Firehose's picked fields": (
        "Hybridization REF\ttcga-z1-q001\ttcga-z1-q002\nyears_to_birth\t61\t50\nvital_status\t1\t0\ndays_to_death\t300\tNA\n",
        "Hybridization REF",
    ),
    "all of Firehose's fields": (
        "admin.batch_number\t1\t2\npatient.bcr_patient_barcode\ttcga-z1-q001\ttcga-z1-q002\npatient.vital_status\tdead\talive\n",
        "patient.bcr_patient_barcode",
    ),
    "Xena's phenotypes of the GDC": (
        "submitter_id.samples\tgender.demographic\nTCGA-Z1-Q001-01A\tfemale\nTCGA-Z1-Q002-01A\tfemale\n", "submitter_id.samples",
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", CLINICAL)
def test_a_clinical_table_is_taken_for_one(zoo_study, tmp_path, make):
    data, identifier = CLINICAL[make]
    written(tmp_path, "t.txt", data)
    (file,) = own_folder.look(zoo_study, tmp_path, "own").files
    assert file.what == f"a table of patients ({identifier})" and "--guess" in file.command
    if "Firehose" in make:
        judge(look_at_matrix(zoo_study, tmp_path, data), Refused("patients in columns.*--guess"))


def test_patients_for_samples_are_told_before_they_are_refused(zoo_study, tmp_path):
    written(tmp_path, "m.tsv", matrix(names=["TCGA-Z1-Q001", "TCGA-Z1-Q002"]))
    (file,) = own_folder.look(zoo_study, tmp_path, "own").files
    assert "of which tissue" in file.needs and file.command.endswith("--sample-type 01")
