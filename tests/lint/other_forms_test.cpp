// Models in QOperator form and with dynamic quantization, and models that are broken.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/passes/name_nodes.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

std::vector<std::string> in_float(const LintForecast& result) {
  std::vector<std::string> names;
  for (const NodeForecast& node : result.nodes)
    if (!node.is_fused()) names.push_back(node.name);
  return names;
}

TEST(QOperatorForm, RunsOnIntegersAsItStands) {
  const Model model = text_model(R"(
    ir 8; opset 14; opset com.microsoft 1; input x float[1, 4, 8, 8];
    init s float[] {0.1}; init m uint8[] {128}; init w int8[4, 4, 3, 3] ones; init ws float[] {0.01};
    init wz int8[] {0}; init b int32[4] ones;
    q: xq = QuantizeLinear(x, s, m); conv: y = QLinearConv(xq, s, m, w, ws, wz, s, m, b);
    add: z = com.microsoft.QLinearAdd(y, s, m, y, s, m, s, m); pool: p = MaxPool(z) {kernel_shape = [2, 2]};
    gap: g = com.microsoft.QLinearGlobalAveragePool(p, s, m, s, m); flat: f = Flatten(g);
    d: o = DequantizeLinear(f, s, m); act: e = Exp(o); output e;
  )");
  const LintForecast result = forecast(model, lint_target("ort-cpu"));
  EXPECT_THAT(in_float(result), testing::ElementsAre("act"));
  EXPECT_EQ(result.nodes.at(1).op, "com.microsoft.QLinearAdd");
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

const std::string dynamic = R"(
  ir 8; opset 14; input x float[2, 32]; init w int8[32, 6] ones; init ws float[] {0.01}; init wz int8[] {0};
  init w2 int8[32, 6] ones; init ws2 float[] {0.02}; init row float[6] ones; init matrix float[2, 6] ones;
  dq: xq, xs, xz = DynamicQuantizeLinear(x);
  n: y = MatMulInteger(xq, w, xz, wz); c: f = Cast(y) {to = 1};
)";

struct Case {
  std::string name{};
  std::string text{};
  std::vector<std::string> in_float{};
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class Dynamic : public testing::TestWithParam<Case> {};

TEST_P(Dynamic, IsForecastAsTheEngineRunsIt) {
  const Model model = text_model(dynamic + GetParam().text);
  EXPECT_EQ(in_float(forecast(model, lint_target("ort-cpu"))), GetParam().in_float);
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

const std::string rescaled = "ms: sc = Mul(xs, ws); m: r = Mul(f, sc);";

INSTANTIATE_TEST_SUITE_P(
    MatMul, Dynamic,
    testing::Values(
        Case{"Rescaled", rescaled + "output r;", {}},
        Case{"AndBias", rescaled + "a: o = Add(row, r); output o;", {}},
        Case{"AndMatrix", rescaled + "a: o = Add(r, matrix); output o;", {"a"}},
        Case{"ReadTwice",
             rescaled + "a: o = Add(r, row); e: u = Exp(r); output o; output u;",
             {"a", "e"}},
        Case{"SumsReadTwice", rescaled + "e: u = Exp(f); output r; output u;", {"ms", "m", "e"}},
        Case{"Two",
             rescaled + "n2: y2 = MatMulInteger(xq, w2, xz, wz); c2: f2 = Cast(y2) {to = 1}; ms2: "
                        "t = Mul(xs, "
                        "ws2); m2: r2 = Mul(f2, t); output r; output r2;",
             {}},
        Case{"TwoOfEqualScales",
             rescaled + "init ws3 float[] {0.01}; n2: y2 = MatMulInteger(xq, w2, xz, wz); c2: f2 = "
                        "Cast(y2) {to "
                        "= 1}; ms2: t = Mul(xs, ws3); m2: r2 = Mul(f2, t); output r; output r2;",
             {"ms", "m", "ms2", "m2"}}),
    [](const auto& each) { return each.param.name; });

// text_model has no types below one byte: the int8 values become int4, two a byte.
Model with_int4(const std::string& text) {
  constexpr int type_int4 = 22;
  Model model = text_model(text);
  for (onnx::TensorProto& tensor : *model.graph().mutable_initializer()) {
    if (tensor.name() != "w" && tensor.name() != "wz") continue;
    const std::int64_t count = element_count(tensor);
    const std::string name = tensor.name();
    const std::vector<std::int64_t> extents(tensor.dims().begin(), tensor.dims().end());
    tensor.Clear();
    tensor.set_name(name);
    for (const std::int64_t extent : extents) tensor.add_dims(extent);
    tensor.set_data_type(type_int4);
    tensor.set_raw_data(
        std::string(static_cast<std::size_t>((count + 1) / 2), name == "w" ? '\x21' : '\0'));
  }
  return model;
}

Model int4_matmul(int opset, int block) {
  const std::string scales = block == 0
                                 ? "init ws float[16] range"
                                 : "init ws float[" + std::to_string(64 / block) + ", 16] ones";
  const std::string form =
      block == 0 ? "{axis = 1}" : "{axis = 0, block_size = " + std::to_string(block) + "}";
  return with_int4("ir 10; opset " + std::to_string(opset) +
                   "; input x float[2, 64]; init w int8[64, 16] ones; " + scales +
                   "; dw: v = DequantizeLinear(w, ws) " + form +
                   "; n: y = MatMul(x, v); output y;");
}

TEST(FourBits, BecomeMatMulNBitsByColumnAndInBlocksThatItKnows) {
  for (const int block : {0, 16, 32}) {
    EXPECT_THAT(in_float(forecast(int4_matmul(21, block), lint_target("ort-cpu"))),
                testing::IsEmpty())
        << block;
    expect_engine_agrees(int4_matmul(21, block), lint_target("ort-cpu"));
  }
  EXPECT_EQ(forecast(int4_matmul(21, 8), lint_target("ort-cpu")).nodes.at(0).rule,
            LintRule::nbits_form);
  expect_engine_agrees(int4_matmul(21, 8), lint_target("ort-cpu"));
}

TEST(FourBits, AreRefusedBelowOpset21) {
  const Model model = int4_matmul(19, 0);
  EXPECT_THAT(forecast(model, lint_target("ort-cpu")).nodes.at(0).reason,
              HasSubstr("which takes opset 21"));
  EXPECT_THROW((void)onnx_runtime()(model, {}), Error);
}

TEST(FourBits, KeepAConvInFloat) {
  const Model model = with_int4(R"(
    ir 10; opset 21; input x float[1, 4, 8, 8]; init s float[] {0.1}; init m uint8[] {128};
    init w int8[4, 4, 3, 3] ones; init ws float[] {0.01}; init wz int8[] {0};
    q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m); dw: wd = DequantizeLinear(w, ws, wz);
    conv: y = Conv(xd, wd); q1: yq = QuantizeLinear(y, s, m); d1: yd = DequantizeLinear(yq, s, m); output yd;
  )");
  EXPECT_EQ(forecast(model, lint_target("ort-cpu")).nodes.at(0).rule, LintRule::narrow_weights);
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

TEST(BrokenModels, NameTheNodeThatLacksAnInput) {
  const Model model = text_model("input x float[1, 4, 8, 8]; conv: y = Conv(x); output y;");
  EXPECT_THAT([&] { (void)forecast(model, lint_target("ort-cpu")); },
              testing::ThrowsMessage<Error>(HasSubstr("node 'conv' (Conv): input 1 is missing")));
}

// A Shape reads int8 integers too, but not once the engine has computed it: the pair can be made uint8.
TEST(SignedActivations, AreNotHeldByAShapeThatIsKnown) {
  const Model model = name_nodes(text_model(R"(
      ir 8; opset 14; input x float[1, 4, 8, 8]; init s float[] {0.1}; init z int8[] {0}; init last int64[1] {-1};
      q: xq = QuantizeLinear(x, s, z); d: xd = DequantizeLinear(xq, s, z);
      other: o = QuantizeLinear(w, s, z); input w float[1, 4, 8, 8]; d9: od = DequantizeLinear(o, s, z); join: y = Concat(xd, od) {axis = 1};
      q1: yq = QuantizeLinear(y, s, z); d1: yd = DequantizeLinear(yq, s, z); size: n = Shape(yd);
      first: k = Slice(n, from, to); init from int64[1] {0}; init to int64[1] {1}; form: m = Concat(k, last) {axis = 0};
      flat: r = Reshape(yd, m); output r;
    )"))
                          .model;
  EXPECT_TRUE(in_float(forecast(model, lint_target("ort-cpu"))).empty());
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

// Its int8 integers are computed before the engine makes activations uint8: types differ.
TEST(SignedActivations, DoNotMeetAConstantBehindAPair) {
  const Model model = name_nodes(text_model(R"(
      ir 8; opset 14; input x float[1, 4]; init s float[] {0.1}; init z int8[] {0}; init c float[4] range;
      q: xq = QuantizeLinear(x, s, z); d: xd = DequantizeLinear(xq, s, z);
      qc: cq = QuantizeLinear(c, s, z); dc: cd = DequantizeLinear(cq, s, z); times: y = Mul(xd, cd);
      q1: yq = QuantizeLinear(y, s, z); d1: yd = DequantizeLinear(yq, s, z); output yd;
    )"))
                          .model;
  EXPECT_THAT(in_float(forecast(model, lint_target("ort-cpu"))), testing::ElementsAre("times"));
  expect_engine_agrees(model, lint_target("ort-cpu"));
}

// What ONNX Runtime's quantizer writes for a model of an old opset that it does not raise.
// The engine drops a DequantizeLinear with the QuantizeLinear that gives back its integers, so that the MaxPool reads those of both readers: they
// stay int8, which no MaxPool takes on x86.
TEST(SignedActivations, AreSharedBehindAPairThatChangesNothing) {
  const Model model = text_model(R"(
    input x float[1, 4, 8, 8]; init s float[] {0.1}; init z int8[] {-128};
    n1: v1 = Add(x, x); q0: i0 = QuantizeLinear(v1, s, z); d0: p0 = DequantizeLinear(i0, s, z);
    n2: v2 = Relu(p0); q1: i1 = QuantizeLinear(v2, s, z); d1: p1 = DequantizeLinear(i1, s, z);
    n3: v3 = Add(x, p0); n4: v4 = MaxPool(p1) {kernel_shape = [3, 3]}; n5: v5 = Add(v4, x9); x9in: x9 = MaxPool(x) {kernel_shape = [3, 3]};
    output v3; output v5;
  )");
  expect_engine_agrees(model, lint_target("ort-cpu"));
  EXPECT_EQ(forecast(model, lint_target("ort-cpu")).fused, 1U);  // the Relu
}

// Two blocks of four bits are one byte a column; some tools write a byte for each.
TEST(StoredMatMulNBits, IsRefusedWhereItsZeroPointsAreNotPacked) {
  const auto model = [](const std::string& zero_points) {
    return name_nodes(text_model("opset 17; opset com.microsoft 1; input x float[1, 2, 64]; init w "
                                 "uint8[8, 2, 16] ones;"
                                 "init s float[16] ones; init z uint8" +
                                 zero_points +
                                 " ones;"
                                 "n: y = com.microsoft.MatMulNBits(x, w, s, z) {K = 64, N = 8, "
                                 "bits = 4, block_size = 32}; output y"))
        .model;
  };
  for (const std::string shape : {"[8]", "[8, 1]"}) {
    EXPECT_TRUE(forecast(model(shape), lint_target("ort-cpu")).nodes.at(0).is_fused());
    expect_engine_agrees(model(shape), lint_target("ort-cpu"));
  }
  for (const std::string shape : {"[1, 8]", "[8, 1, 1]", "[8, 2]"}) {
    const LintForecast refused = forecast(model(shape), lint_target("ort-cpu"));
    EXPECT_EQ(refused.nodes.at(0).rule, LintRule::engine_refuses);
    EXPECT_THAT(refused.refusal, HasSubstr("n: its zero points 'z' have the shape"));
    expect_engine_agrees(model(shape), lint_target("ort-cpu"));
  }
  const NodeForecast unpacked = forecast(model("[8, 2]"), lint_target("ort-cpu")).nodes.at(0);
  EXPECT_EQ(unpacked.rule, LintRule::engine_refuses);
  EXPECT_EQ(unpacked.reason,
            "its zero points 'z' have the shape [8,2], packed in 4 bits they have [8,1]");
  expect_engine_agrees(model("[8, 2]"), lint_target("ort-cpu"));
}

TEST(Attributes, AreRefusedBelowTheirOpset) {
  const auto expect_refused = [](const std::string& text, const std::string& reason) {
    const Model model = name_nodes(text_model(text)).model;
    EXPECT_THAT(forecast(model, lint_target("ort-cpu")).refusal, HasSubstr(reason));
    EXPECT_THROW((void)onnx_runtime()(model, {}), Error);
  };
  expect_refused(
      R"(opset 12; input x float[1, 2]; init q int8[2, 2] ones; init s float[2] ones; init z int8[2] zeros;
      d: w = DequantizeLinear(q, s, z) {axis = 1}; mat: y = MatMul(x, w); output y)",
      "the attribute axis, which DequantizeLinear knows from opset 13 on: the model has opset 12");
  expect_refused(
      R"(ir 9; opset 19; input x float[1, 32]; init q int8[32, 2] ones; init s float[2, 2] ones;
      d: w = DequantizeLinear(q, s) {axis = 0, block_size = 16}; mat: y = MatMul(x, w); output y)",
      "the attribute block_size");
}

// The engine's opset at which an attribute comes or goes is the forecast's: it loads the model on one side and not on the other.
TEST(Attributes, AreRefusedWhereTheEngineRefusesThem) {
  struct Border {
    std::string attribute{};
    std::string text{};
    int allowed = 0;
    int refused = 0;
  };
  const std::string scales = "init s float[] {0.1}; init z int8[] {0};";
  // allowed 0: the engine asks for other things there.
  const std::vector<Border> borders{
      {"axes", "y = ReduceL1(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceL2(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceLogSum(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceLogSumExp(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceMax(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceMean(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceMin(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceProd(x) {axes = [2]}", 17, 18},
      {"axes", "y = ReduceSum(x) {axes = [2]}", 12, 13},
      {"axes", "y = ReduceSumSquare(x) {axes = [2]}", 17, 18},
      {"min", "y = Clip(x) {min = 0.5}", 10, 11},
      {"max", "y = Clip(x) {max = 0.5}", 10, 11},
      {"ratio", "y = Dropout(x) {ratio = 0.5}", 11, 12},
      {"pads", "y = Pad(x) {pads = [0, 0, 1, 0, 0, 1]}", 10, 11},
      {"pads", "y = Pad(x) {pads = [0, 0, 1, 0, 0, 1], value = 0.5}", 10, 11},
      {"ends", "y = Slice(x) {starts = [0], ends = [1]}", 9, 10},
      {"axes", "y = Slice(x) {starts = [0], ends = [1], axes = [2]}", 9, 10},
      {"split", "y, u = Split(x) {split = [2, 2], axis = 2}; output u", 12, 13},
      {"num_outputs", "y, u = Split(x) {num_outputs = 2, axis = 2}; output u", 18, 17},
      {"axes", "y = Squeeze(x) {axes = [0]}", 12, 13},
      {"axes", "y = Unsqueeze(x) {axes = [0]}", 12, 13},
      {"k", "y, i = TopK(x) {k = 1}; output i", 9, 10},
      {"saturate", "y = Cast(x) {to = 17, saturate = 1}", 19, 18},
      {"allowzero", "init g int64[2] {1, -1}; y = Reshape(x, g) {allowzero = 0}", 14, 13},
      {"training_mode",
       "init g float[2] ones; y = BatchNormalization(x, g, g, g, g) {training_mode = 0}", 14, 13},
      {"spatial", "init g float[2] ones; y = BatchNormalization(x, g, g, g, g) {spatial = 1}", 8,
       9},
      {"antialias",
       "init e float[0] zeros; init g float[3] ones; y = Resize(x, e, g) {antialias = 0}", 18, 17},
      {"axis", scales + "y = QuantizeLinear(x, s, z) {axis = 1}", 13, 12},
      {"saturate", scales + "y = QuantizeLinear(x, s, z) {saturate = 1}", 19, 18},
      {"block_size", scales + "y = QuantizeLinear(x, s, z) {block_size = 0}", 21, 20},
      {"output_dtype", scales + "y = QuantizeLinear(x, s) {output_dtype = 3}", 21, 20},
      {"output_dtype",
       scales + "v = QuantizeLinear(x, s, z); y = DequantizeLinear(v, s, z) {output_dtype = 1}", 23,
       22},
      {"starts", "y = Slice(x) {starts = [0]}", 0, 10},
      {"value", "y = Pad(x) {value = 0.5}", 0, 11},
      {"axis", scales + "v = QuantizeLinear(x, s, z); y = DequantizeLinear(v, s, z) {axis = 1}", 13,
       12},
      {"block_size",
       scales + "v = QuantizeLinear(x, s, z); y = DequantizeLinear(v, s, z) {block_size = 0}", 21,
       20},
      {"precision", scales + "y = QuantizeLinear(x, s, z) {precision = 1}", 23, 22},
      {"scales", "y = Upsample(x) {scales = [1.0, 1.0, 2.0]}", 7, 9},
      {"axis", "input c float[1, 4, 1]; y = DFT(c) {axis = 1}", 19, 20},
      {"shape", "y = Reshape(x) {shape = [2, 4]}", 0, 5},
      {"noop_with_empty_axes", "y = ReduceSum(x) {noop_with_empty_axes = 0}", 13, 12},
      {"noop_with_empty_axes", "y = ReduceMean(x) {noop_with_empty_axes = 0}", 18, 17},
  };
  for (const Border& border : borders) {
    SCOPED_TRACE(border.text);
    const auto model = [&](int opset) {
      return name_nodes(text_model("ir 10; opset " + std::to_string(opset) +
                                   "; input x float[1, 2, 4]; " + border.text + "; output y"))
          .model;
    };
    if (border.allowed > 0) {
      EXPECT_EQ(forecast(model(border.allowed), lint_target("ort-cpu")).refusal, "");
      EXPECT_NO_THROW((void)onnx_runtime()(model(border.allowed), {}));
    }
    EXPECT_THAT(forecast(model(border.refused), lint_target("ort-cpu")).refusal,
                HasSubstr("has the attribute " + border.attribute + ","));
    EXPECT_THROW((void)onnx_runtime()(model(border.refused), {}), Error);
    EXPECT_EQ(forecast(model(border.refused), lint_target("tensorrt")).refusal,
              "");  // who checks it is not known
  }
}

// Random damage: an answer or an Error, nothing else.
TEST(BrokenModels, AreAnsweredOrRefused) {
  const Model whole = text_model(R"(
    ir 8; opset 14; opset com.microsoft 1; input x float[1, 4, 8, 8]; init s float[] {0.1}; init m uint8[] {128};
    init w int8[4, 4, 3, 3] ones; init ws float[4] ones; init wz int8[4] zeros; init fb float[4] ones;
    init k int8[8, 8] ones; init ks float[] {0.01}; init kz int8[] {0}; init low float[] {0}; init high float[] {6};
    init shape int64[2] {1, -1}; init row float[8] ones;
    q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m); dw: wd = DequantizeLinear(w, ws, wz) {axis = 0};
    conv: y = Conv(xd, wd, fb); relu: r = Relu(y); clip: l = Clip(r, low, high);
    q1: yq = QuantizeLinear(l, s, m); d1: yd = DequantizeLinear(yq, s, m); pool: p = MaxPool(yd) {kernel_shape = [3, 3]};
    add: a = Add(p, p); id: i = Identity(a); q2: aq = QuantizeLinear(i, s, m); d2: ad = DequantizeLinear(aq, s, m);
    dk: kd = DequantizeLinear(k, ks, kz); mm: h = MatMul(xd, kd); bias: g = Add(h, row); q3: gq = QuantizeLinear(g, s, m);
    dy: t, ts, tz = DynamicQuantizeLinear(x); mi: u = MatMulInteger(t, k, tz, kz); c: v = Cast(u) {to = 1};
    ms: o = Mul(ts, ks); mv: z = Mul(v, o); view: flat = Reshape(z, shape); sp: e1, e2 = Split(ad) {axis = 1};
    output e1; output e2; output flat; output gq;
  )");
  std::mt19937 random(1);
  const auto below = [&](int count) {
    return static_cast<int>(random() % static_cast<unsigned>(count));
  };
  int answered = 0;
  for (int round = 0; round < 1000; ++round) {
    Model model = whole.clone();
    for (int damage = 0; damage <= below(3); ++damage) {
      onnx::NodeProto& node = *model.graph().mutable_node(below(model.graph().node_size()));
      const onnx::NodeProto& other = model.graph().node(below(model.graph().node_size()));
      switch (below(7)) {
        case 0:
          if (node.input_size() > 0) node.mutable_input()->RemoveLast();
          break;
        case 1:
          if (node.input_size() > 0) node.set_input(below(node.input_size()), "");
          break;
        case 2:
          if (node.output_size() > 0) node.mutable_output()->RemoveLast();
          break;
        case 3:
          node.set_op_type(other.op_type());
          break;
        case 4:
          if (node.input_size() > 0 && other.output_size() > 0)
            node.set_input(below(node.input_size()), other.output(0));
          break;
        case 5:
          node.clear_attribute();
          break;
        default:
          if (node.input_size() > 0)
            node.set_input(
                below(node.input_size()),
                model.graph().initializer(below(model.graph().initializer_size())).name());
      }
    }
    for (const LintTarget& target : lint_targets()) {
      try {
        (void)forecast(model, target);
        ++answered;
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), Error::Kind::internal) << error.what();
      }
    }
  }
  EXPECT_GT(answered, 500);
}

}  // namespace
}  // namespace ocs
