"""The gate on a built shop: re-quantise alone, what it tells of every form, and a form that can't be made."""

import json
from pathlib import Path

import dagster as dg
import numpy as np
import onnxruntime

from catalog.formats import noted_files
from catalog.model_descriptions import MODELS
from catalog.onnx_export import quantization
from dagster_project.definitions import build_definitions
from resources.home import find_home

TOLD = {"form", "passed", "reasons", "measured", "size_bytes", "latency_ratio"}


def materialize_int8_models(home: Path, *, anew: bool) -> dict[str, dict]:
    """Materialise the one asset in this process, as the launchpad does; returns gate.json by model."""
    definitions = build_definitions(find_home(home, {}))
    config = {"ops": {"int8_models": {"config": {"anew": anew}}}}
    done = definitions.get_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey("int8_models")], run_config=config
    )
    assert done.success
    return {entry["model"]: entry for entry in json.loads((home / "models" / "int8" / "gate.json").read_text("utf-8"))}


def test_requantizing_alone_makes_the_forms_again(shop_copy) -> None:
    """With `anew` a form that was damaged is written again and ships; no table of another stage is touched."""
    forms = shop_copy.home / "models" / "int8" / "forms"
    for path in forms.iterdir():
        path.write_bytes(b"damaged")
    lake = shop_copy.home / "data_lake"
    before = {path: path.stat().st_mtime_ns for path in lake.rglob("*.parquet") if path.parent.name != "int8"}
    gate = materialize_int8_models(shop_copy.home, anew=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    image, mask = np.full((90, 70, 3), 120, np.uint8), np.full((90, 70), 255, np.uint8)
    for name, entry in gate.items():
        shipped = shop_copy.home / "models" / "int8" / f"{name}.onnx"
        assert shipped.stat().st_size == entry["size_bytes"] < entry["float_size_bytes"]
        session = onnxruntime.InferenceSession(shipped, providers=["CPUExecutionProvider"])
        feeds = {"image": image, "mask": mask}
        assert np.isfinite(session.run(None, {i.name: feeds[i.name] for i in session.get_inputs()})[0]).all()


def test_every_form_that_was_tried_is_told_of(shop_copy) -> None:
    """In the row's order up to the one that ships, each with size, latency and what was measured."""
    gate = json.loads((shop_copy.home / "models" / "int8" / "gate.json").read_text("utf-8"))
    for entry in gate:
        order = quantization.forms(MODELS[entry["model"]], try_four_bit=False)
        tried = [decision["form"] for decision in entry["tried"]]
        assert tried == list(order[: len(tried)])
        assert [decision["passed"] for decision in entry["tried"]] == [False] * (len(tried) - 1) + [True]
        assert entry["form"] == tried[-1]
        for decision in entry["tried"]:
            assert set(decision) == TOLD
            assert decision["latency_ratio"] > 0
            assert 0 < decision["size_bytes"] <= entry["float_size_bytes"]
            wanted = {"mask_iou_mean", "mask_iou_p1", "mask_iou_min", "photos"}
            if MODELS[entry["model"]].embedding_dim:
                wanted = {"agreement_at_10", "cosine_mean", "cosine_p1", "cosine_min", "success_lost", "queries"}
            assert set(decision["measured"]) == wanted


def test_a_form_that_cannot_be_opened_is_refused_and_the_next_one_ships(shop_copy) -> None:
    """Whole, but not for this ONNX Runtime: the reason is told, fp16 takes its place, the build goes on."""
    forms = shop_copy.home / "models" / "int8" / "forms"
    for path in forms.glob("*.static_qdq.onnx"):
        path.write_bytes(path.read_bytes()[:1000])
        noted_files.note(path)
    gate = materialize_int8_models(shop_copy.home, anew=False)
    for entry in gate.values():
        first, last = entry["tried"][0], entry["tried"][-1]
        assert (first["form"], first["passed"], first["latency_ratio"]) == ("static_qdq", False, None)
        assert "can't open it" in first["reasons"][0]
        assert last["form"] == entry["form"] == "fp16"
