#include "cli/calibration_origin.h"

#include <filesystem>

#include "cli/file_size.h"
#include "ocs/core/json.h"
#include "ocs/core/sha256.h"
#include "ocs/core/version.h"
#include "ocs/sweep/identity.h"

namespace ocs::cli {
namespace {

std::string name_of_data(const DataArguments& data, const Model& model) {
  const auto preprocess = preprocess_for(data, {&model});
  Json identity{{"content", sha256_of_path(data.path)},
                {"format", data.format},
                {"preprocess", preprocess ? to_json(*preprocess) : Json(nullptr)},
                {"skip_bad_samples", data.skip_bad_samples}};
  if (data.synthetic > 0) identity["synthetic"] = {data.synthetic, data.seed};
  return sha256(identity.dump());
}

}  // namespace

std::string sha256_of_model(const Model& model) {
  const std::string of_file = sha256_of_file(model.file());
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model.file()));
  if (model_size(model, model.file()) == size) return of_file;
  Sha256 hash;
  hash.add(of_file);
  for (const onnx::TensorProto& weight : model.graph().initializer()) hash.add(weight.raw_data());
  return hash.finish();
}

StatsOrigin origin_of(const Model& model, const DataArguments& data, const Samples& samples,
                      const Shard& shard) {
  return {.model = sha256_of_model(model),
          .version = std::string(version()),
          .build = running_build(),
          .data = {{name_of_data(data, model),
                    {.samples = static_cast<std::int64_t>(samples.count),
                     .shards = shard.count,
                     .held = {shard.index}}}}};
}

}  // namespace ocs::cli
