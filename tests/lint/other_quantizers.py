"""Holds `ocs lint` against ONNX Runtime on models that other tools wrote.

  other_quantizers.py TOOL LINT_MODELS_TEST MODEL...

TOOL is onnxruntime (its own quantizer), nncf, blocks (weights in blocks, by both) or fused (behind ONNX Runtime's optimizer of
transformers). Quantizes each float MODEL in the forms that the tool knows (operators or QDQ, types,
granularity, presets, options that users set) with made-up data, and runs the test Files.* of LINT_MODELS_TEST over what was written: it
compares every node with the graph that the engine makes of it. Exit code 77 without the packages, 1 where they differ.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
# Extent of an axis without a fixed one, such as the words of a sentence; the first axis, the batch, gets 1.
FREE_EXTENT = 8


def variants():
    """Name and arguments of quantize_static."""
    from onnxruntime.quantization import QuantFormat, QuantType

    types = {
        "u8s8": (QuantType.QUInt8, QuantType.QInt8),
        "s8s8": (QuantType.QInt8, QuantType.QInt8),
        "u8u8": (QuantType.QUInt8, QuantType.QUInt8),
    }
    for name, (activations, weights) in types.items():
        for style, form in (("qdq", QuantFormat.QDQ), ("operators", QuantFormat.QOperator)):
            for per_channel in (True, False):
                # The engine has no per-channel uint8 kernels in the form of operators.
                if form == QuantFormat.QOperator and per_channel and weights == QuantType.QUInt8:
                    continue
                yield f"{name}_{style}_{'rows' if per_channel else 'tensor'}", {
                    "quant_format": form,
                    "activation_type": activations,
                    "weight_type": weights,
                    "per_channel": per_channel,
                }
    rows = {"quant_format": QuantFormat.QDQ, "weight_type": QuantType.QInt8, "per_channel": True}
    unsigned = {**rows, "activation_type": QuantType.QUInt8}
    yield "symmetric", {
        **rows,
        "activation_type": QuantType.QInt8,
        "extra_options": {"ActivationSymmetric": True, "WeightSymmetric": True},
    }
    yield "pairs_on_weights", {**unsigned, "extra_options": {"AddQDQPairToWeight": True}}
    yield "pair_for_each_reader", {**unsigned, "extra_options": {"DedicatedQDQPair": True}}
    yield "float_bias", {**unsigned, "extra_options": {"QuantizeBias": False}}
    yield "without_input_check", {**unsigned, "extra_options": {"ForceQuantizeNoInputCheck": True}}
    yield "layers_only", {**unsigned, "op_types_to_quantize": ["Conv", "MatMul", "Gemm"]}
    yield "reduced_range", {**unsigned, "reduce_range": True}
    yield "wide_activations", {
        **rows,
        "activation_type": QuantType.QUInt16,
        "extra_options": {"UseQDQContribOps": True},
    }


def made_up_sample(ports, generator) -> dict:
    """A value for each input: normal numbers, and ones for integers (a token and a mask that every text model knows)."""
    import numpy

    def value(port):
        shape = [
            extent if isinstance(extent, int) else 1 if axis == 0 else FREE_EXTENT for axis, extent in enumerate(port.shape)
        ]
        if port.type == "tensor(float)":
            return generator.normal(size=shape).astype("float32")
        return numpy.ones(shape, "int64")

    return {port.name: value(port) for port in ports}


def random_reader(model: Path):
    import numpy
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader

    inputs = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()
    generator = numpy.random.default_rng(1)

    class Reader(CalibrationDataReader):
        left = 2

        def get_next(self):
            self.left -= 1
            if self.left < 0:
                return None
            return made_up_sample(inputs, generator)

    return Reader()


def write_models(model: Path, folder: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.float"
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    for source, name in ((model, "plain"), (prepared, "prepared")):
        for variant, arguments in variants():
            quantize_static(
                str(source), str(folder / f"{name}_{variant}.onnx"), random_reader(model), **arguments
            )
        quantize_dynamic(str(source), str(folder / f"{name}_dynamic.onnx"))
        quantize_dynamic(str(source), str(folder / f"{name}_dynamic_rows.onnx"), per_channel=True)


def write_nncf_models(model: Path, folder: Path) -> None:
    import nncf
    import numpy
    import onnx
    import onnxruntime

    ports = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()
    generator = numpy.random.default_rng(1)

    def sample(_):
        return made_up_sample(ports, generator)

    presets = {
        "performance": {"preset": nncf.QuantizationPreset.PERFORMANCE},
        "mixed": {"preset": nncf.QuantizationPreset.MIXED},
        "transformer": {"model_type": nncf.ModelType.TRANSFORMER},
        "any_device": {"target_device": nncf.TargetDevice.ANY},
        "without_fast_bias": {"fast_bias_correction": False},
    }
    for name, arguments in presets.items():
        data = nncf.Dataset(range(4), sample)
        try:
            quantized = nncf.quantize(onnx.load(model), data, subset_size=4, **arguments)
        except Exception as error:  # its own engine's word on a transformer whose bias it corrects
            print(f"nncf does not quantize {model} with {name}: {error}")
            continue
        onnx.save(quantized, folder / f"{name}.onnx")
    for mode in ("INT8_ASYM", "INT8_SYM"):
        weights = nncf.compress_weights(onnx.load(model), mode=nncf.CompressWeightsMode[mode])
        onnx.save(weights, folder / f"weights_{mode.lower()}.onnx")


def write_block_models(model: Path, folder: Path) -> None:
    """What ONNX Runtime's quantizer of blocks and NNCF write: MatMulNBits, and pairs that the engine makes it of."""
    import copy

    import nncf
    import onnx
    from onnxruntime.quantization import QuantFormat
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    opset_of_blocks = 21
    raised = onnx.version_converter.convert_version(onnx.load(model), opset_of_blocks)
    # 8 bits are written as MatMulNBits alone.
    for form, bits in ((QuantFormat.QOperator, 4), (QuantFormat.QDQ, 4), (QuantFormat.QOperator, 8)):
        for symmetric in (True, False):
            config = DefaultWeightOnlyQuantConfig(
                block_size=32, is_symmetric=symmetric, accuracy_level=4, quant_format=form, bits=bits
            )
            quantizer = MatMulNBitsQuantizer(copy.deepcopy(raised), algo_config=config)
            quantizer.process()
            name = f"{form.name}_{bits}_{'symmetric' if symmetric else 'asymmetric'}".lower()
            quantizer.model.save_model_to_file(str(folder / f"{name}.onnx"))
    for mode in ("INT4_ASYM", "INT4_SYM"):
        weights = nncf.compress_weights(onnx.load(model), mode=nncf.CompressWeightsMode[mode], group_size=32)
        onnx.save(weights, folder / f"nncf_{mode.lower()}.onnx")


def write_fused_models(model: Path, folder: Path) -> None:
    """A transformer that ONNX Runtime's optimizer has given BiasGelu, SkipLayerNormalization and the like, and then its quantizer."""
    from onnxruntime.quantization import QuantType, quantize_dynamic, quantize_static
    from onnxruntime.transformers import optimizer

    fused = folder / "fused.float"
    optimizer.optimize_model(str(model), model_type="bert", opt_level=0).save_model_to_file(str(fused))
    # ONNX's inference knows no results of the new operators.
    options = {"DefaultTensorType": 1}
    for name, arguments in {
        "dynamic": {},
        "dynamic_rows": {"per_channel": True},
        "dynamic_unsigned": {"weight_type": QuantType.QUInt8},
    }.items():
        quantize_dynamic(str(fused), str(folder / f"{name}.onnx"), extra_options=options, **arguments)
    layers_only = dict(variants())["layers_only"]
    quantize_static(str(fused), str(folder / "layers_only.onnx"), random_reader(model), extra_options=options, **layers_only)


# By tool: the packages that it needs, and what writes a folder of models.
TOOLS = {
    "onnxruntime": (("onnx", "onnxruntime"), write_models),
    "nncf": (("onnx", "onnxruntime", "nncf"), write_nncf_models),
    "blocks": (("onnx", "onnxruntime", "onnx_ir", "nncf"), write_block_models),
    "fused": (("onnx", "onnxruntime"), write_fused_models),
}


def main() -> int:
    tool, test, *models = sys.argv[1:]
    packages, write = TOOLS[tool]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        return SKIPPED
    failed = False
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(model), Path(folder))
            print(f"{model}: {len(list(Path(folder).glob('*.onnx')))} models")
            environment = {**os.environ, "OCS_LINT_FILES": folder}
            failed |= subprocess.run([test, "--gtest_filter=Files.*"], env=environment, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
