#include "support/transformer.h"

#include <map>
#include <vector>

#include "ocs/graph/tensor_proto.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr std::size_t width = 32;
constexpr float outlier = 30.0F;

// The network stays the same in what the MatMul behind the normalizations compute.
Model with_outliers(Model model) {
  for (onnx::TensorProto& proto : *model.graph().mutable_initializer()) {
    const std::string& name = proto.name();
    const bool is_gain = name == "g0" || name == "g1" || name == "h0" || name == "h1";
    const bool is_reader = name == "wq" || name == "wk" || name == "wv" || name == "wi";
    if (!is_gain && !is_reader) continue;
    Tensor tensor = to_tensor(proto, {});
    const auto values = tensor.as<float>();
    const std::size_t row = values.size() / width;
    for (const std::size_t channel : {std::size_t{3}, std::size_t{17}})
      for (std::size_t i = 0; i < row; ++i)
        values[channel * row + i] *= is_gain ? outlier : 1.0F / outlier;
    proto = to_proto(tensor, name);
  }
  return model;
}

}  // namespace

Model transformer_block(bool residual) {
  const std::string text = R"(
    ir 8; opset 17;
    input x float[N, 12, 32];
    init g0 float[32] ones; init h0 float[32] random 1 * 0.1;
    init g1 float[32] ones; init h1 float[32] random 2 * 0.1;
    init g2 float[32] ones; init h2 float[32] random 3 * 0.1;
    init wq float[32, 32] random 4 * 0.2; init bq float[32] random 5;
    init wk float[32, 32] random 6 * 0.2; init bk float[32] random 7;
    init wv float[32, 32] random 8 * 0.2; init bv float[32] random 9;
    init wo float[32, 32] random 10 * 0.2; init bo float[32] random 11;
    init wi float[32, 128] random 12 * 0.2; init bi float[128] random 13;
    init wu float[128, 32] random 14 * 0.1; init bu float[32] random 15;
    init scale float[] {0.2}; init root float[] {1.41421356}; init one float[] {1}; init half float[] {0.5};
    norm0: n = LayerNormalization(x, g0, h0) {axis = -1};
    query: q0 = MatMul(n, wq); qb: q = Add(q0, bq);
    key: k0 = MatMul(n, wk); kb: k1 = Add(k0, bk); kt: k = Transpose(k1) {perm = [0, 2, 1]};
    value: v0 = MatMul(n, wv); vb: v = Add(v0, bv);
    scores: s0 = MatMul(q, k); scaled: s = Mul(s0, scale); soft: p = Softmax(s) {axis = -1};
    context: c = MatMul(p, v);
    attended: a0 = MatMul(c, wo); ab: a = Add(a0, bo);
    add1: r1 = Add(a, )" + std::string(residual ? "n" : "x") +
                           R"();
    norm1: m = LayerNormalization(r1, g1, h1) {axis = -1};
    inner: i0 = MatMul(m, wi); ib: i = Add(i0, bi);
    g_div: d = Div(i, root); g_erf: e = Erf(d); g_add: f = Add(e, one); g_mul: t = Mul(i, f); gelu: g = Mul(t, half);
    outer: u0 = MatMul(g, wu); ub: u = Add(u0, bu);
    add2: r2 = Add(u, )" + std::string(residual ? "m" : "r1") +
                           R"();
    norm2: y = LayerNormalization(r2, g2, h2) {axis = -1};
    output y float[N, 12, 32];
  )";
  return with_outliers(text_model(text));
}

Samples transformer_samples(std::size_t count) {
  return random_samples("x", {1, 12, static_cast<std::int64_t>(width)}, count);
}

}  // namespace ocs
