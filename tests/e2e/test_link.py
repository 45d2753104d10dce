"""`torvyn link`: do compiled components fit, and if not, which two types of which two sides."""

import shutil

import pytest

from conftest import component, misbehaving

MANIFEST = """[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"

[[component]]
name = "upper"
path = "upper.c"

[flow.main.nodes.in]
component = "generate"
config = { count = 3 }

[flow.main.nodes.up]
component = "upper"

[flow.main.nodes.out]
component = "./sink.wasm"

[flow.other.nodes.in]
component = "generate"

[flow.other.nodes.out]
component = "null"
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Torvyn.toml").write_text(MANIFEST)
    (tmp_path / "target").mkdir()
    shutil.copy(component("upper"), tmp_path / "target" / "upper.wasm")
    shutil.copy(component("count-sink-batch"), tmp_path / "sink.wasm")
    return tmp_path


def test_flows_that_fit(torvyn, project):
    outcome = torvyn("link")
    assert outcome.code == 0, outcome.err
    text = outcome.out.decode()
    assert "main: ok\n" in text
    assert "other: ok\n" in text
    assert " up    target/upper.wasm  processor  torvyn:streaming/processor@0.1.0\n" in text
    assert " in → up → out\n" in text

    report = torvyn("link", "--format", "json").json()
    assert report["command"] == "link"
    assert report["errors"] == report["warnings"] == []
    main, other = report["flows"]
    assert (main["name"], main["ok"], other["name"]) == ("main", True, "other")
    source, up, sink = main["nodes"]
    assert source["builtin"] and source["role"] == "source"
    assert (up["role"], up["contract"], up["interface"]) == ("processor", "element", "torvyn:streaming/processor@0.1.0")
    assert (sink["role"], sink["contract"]) == ("sink", "batch")
    assert up["mismatches"] == []
    assert main["edges"] == [
        {"from": "in", "port": "output", "to": "up", "carries": [], "fits": True},
        {"from": "up", "port": "output", "to": "out", "carries": [], "fits": True}]


def test_one_flow_alone(torvyn, project):
    report = torvyn("link", "--flow", "other", "--format", "json").json()
    assert [flow["name"] for flow in report["flows"]] == ["other"]
    torvyn("link", "--flow", "mian").fails(1, "error[E0207]", "did you mean `main`?")


def test_both_sides_of_a_type_are_shown(torvyn, project):
    shutil.copy(misbehaving("drifted-sink"), project / "sink.wasm")
    outcome = torvyn("link")
    outcome.fails(1, "error[E0200]", "type `element-meta` of torvyn:streaming/types", "the component has:",
                  "this Torvyn has:", "timestamp-ns: u64", "--> Torvyn.toml:18:13", "fix")
    # The record without the field comes first.
    assert outcome.err.index("the component has:") < outcome.err.index("timestamp-ns") > outcome.err.index("this Torvyn has:")

    report = torvyn("link", "--format", "json").json()
    [mismatch] = report["flows"][0]["nodes"][2]["mismatches"]
    assert mismatch["component"] == "torvyn:streaming/sink@0.1.9"
    assert mismatch["torvyn"] == "torvyn:streaming/sink@0.1.0"
    record = next(one for one in mismatch["differences"] if one["name"] == "element-meta")
    assert record["change"] == "changed"
    assert record["component"] == "record element-meta {\n    sequence: u64,\n    content-type: string,\n}"
    assert "    timestamp-ns: u64,\n" in record["torvyn"]


def test_a_function_of_the_host_that_is_another_one(torvyn, project):
    shutil.copy(misbehaving("drifted-transform"), project / "target" / "upper.wasm")
    torvyn("link", "--flow", "main").fails(1, "function `allocate` of torvyn:streaming/buffer-allocator",
                                           "allocate: func(capacity-hint: u32)", "allocate: func(capacity-hint: u64)")


def test_every_node_with_a_mistake_is_told(torvyn, project):
    shutil.copy(misbehaving("other-version"), project / "target" / "upper.wasm")
    (project / "sink.wasm").unlink()
    outcome = torvyn("link", "--flow", "main", "--format", "json")
    assert outcome.code == 1
    report = outcome.json()
    assert [(error["code"], error["node"]) for error in report["errors"]] == [("E0201", "up"), ("E0210", "out")]
    assert [node["found"] for node in report["flows"][0]["nodes"]] == [True, False, False]


def test_what_is_not_built_is_said_to_be_built(torvyn, project):
    (project / "target" / "upper.wasm").unlink()
    torvyn("link").fails(2, "error[E0210]: `upper` is not built", "torvyn build --component upper")


def test_components_from_another_folder(torvyn, project):
    (project / "target" / "upper.wasm").unlink()
    (project / "sink.wasm").unlink()
    built = project / "built"
    built.mkdir()
    shutil.copy(component("rust/upper"), built / "upper.wasm")
    shutil.copy(component("count-sink"), built / "sink.wasm")
    outcome = torvyn("link", "--flow", "main", "--components", "built", "--format", "json")
    assert outcome.code == 0, outcome.out
    assert [node["component"] for node in outcome.json()["flows"][0]["nodes"]] == ["generate", "built/upper.wasm",
                                                                                  "built/sink.wasm"]


def test_the_shape_of_a_graph(torvyn, project):
    shutil.copy(component("hello-source"), project / "sink.wasm")
    torvyn("link", "--flow", "main").fails(1, "error[E0203]")


def test_capabilities_in_detail(torvyn, project):
    shutil.copy(misbehaving("wasi-upper"), project / "target" / "upper.wasm")
    outcome = torvyn("link", "--flow", "main", "--detail")
    assert outcome.code == 0, outcome.err
    text = outcome.out.decode()
    assert "granted  clocks: wasi:clocks/" in text
    assert "denied   stdio: wasi:cli/" in text
    assert "denied" not in torvyn("link", "--flow", "main").out.decode()
    up = torvyn("link", "--flow", "main", "--format", "json").json()["flows"][0]["nodes"][1]
    assert {one["name"]: one["granted"] for one in up["capabilities"]}["clocks"] is True


def test_nothing_runs(torvyn, project):
    shutil.copy(misbehaving("trap"), project / "target" / "upper.wasm")
    assert torvyn("link").code == 0


def test_without_a_manifest_or_a_flow(torvyn, tmp_path):
    torvyn("link").fails(2, "error[E0001]")
    (tmp_path / "Torvyn.toml").write_text(MANIFEST.split("[[component]]", maxsplit=1)[0])
    torvyn("link").fails(1, "error[E0207]", "has no flow")
