#include "ocs/pipeline/keep_weights.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocs/core/parallel.h"
#include "ocs/export/expand.h"
#include "ocs/export/write_embeddings.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using Kept = std::shared_ptr<const onnx::TensorProto>;

class Keeper {
 public:
  Keeper(const Model& prepared, const KeepTensor& keep) : graph_(prepared), keep_(keep) {}

  void layers(std::span<LayerPlan> planned) {
    std::vector<onnx::TensorProto> packed(planned.size());
    parallel_for(planned.size(), [&](std::size_t i) {
      const LayerPlan& layer = planned[i];
      packed[i] = stored_weight(*graph_.node_named(layer.node), layer,
                                shape_of(*graph_.initializer(layer.weight)))
                      .tensor;
    });
    for (std::size_t i = 0; i < planned.size(); ++i)  // in their order: the same file every time
      take(planned[i], std::move(packed[i]), weights_);
  }

  void embeddings(std::span<EmbeddingPlan> planned) {
    for (EmbeddingPlan& table : planned) {
      take(table, stored_table(table, shape_of(*graph_.initializer(table.weight))), tables_);
    }
  }

 private:
  // A weight that is in the file: how, and where.
  struct InFile {
    QuantParams params{};
    int storage_bits = 8;
    Kept kept{};
  };
  using Known = std::map<std::string, std::vector<InFile>>;  // by float weight

  template <typename Planned>
  void take(Planned& planned, onnx::TensorProto tensor, Known& all) {
    std::vector<InFile>& known = all[planned.weight];
    const auto same = std::ranges::find_if(known, [&](const InFile& each) {
      return each.params == planned.params && each.storage_bits == planned.storage_bits;
    });
    planned.kept = same != known.end()
                       ? same->kept
                       : std::make_shared<const onnx::TensorProto>(keep_(std::move(tensor)));
    if (same == known.end())
      known.push_back(
          {.params = planned.params, .storage_bits = planned.storage_bits, .kept = planned.kept});
    planned.stored = decltype(planned.stored)();  // not {}: that keeps the memory
  }

  Graph graph_;
  const KeepTensor& keep_;
  Known weights_{};
  Known tables_{};  // packed otherwise
};

bool overrides_any(const Recipe& recipe, std::initializer_list<std::string_view> keys) {
  return std::ranges::any_of(recipe.overrides, [&](const Override& change) {
    return std::ranges::find(keys, change.key) != keys.end();
  });
}

}  // namespace

bool can_keep_weights(const Recipe& recipe) {
  return !recipe.act_bits && recipe.expand_ratio == 0.0 && copy_budget(recipe) == 0.0 &&
         !recipe.equalize && recipe.fold_batchnorm &&
         recipe.recurrent_form != RecurrentForm::dynamic &&
         std::holds_alternative<NearestRounding>(recipe.rounding) &&
         !overrides_any(recipe, {"act_bits", "expand_ratio", "rounding"});
}

PlanObserver keep_weights(const Model& prepared, const KeepTensor& keep) {
  const auto keeper = std::make_shared<Keeper>(prepared, keep);
  return {
      .layers = [keeper](std::span<LayerPlan> planned) { keeper->layers(planned); },
      .embeddings = [keeper](std::span<EmbeddingPlan> planned) { keeper->embeddings(planned); }};
}

}  // namespace ocs
