// Which inputs and outputs of a model are what, for models that read ids and states and give logits and states.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/core/tensor.h"

namespace ocs {

// A state that goes from one window of the text to the next.
struct CarriedState {
  std::string input{};
  std::string output{};
  bool operator==(const CarriedState&) const = default;
};

struct LanguageModel {
  std::string ids{};     // input, int64 or int32, two axes
  std::string logits{};  // output, a score for each token of the vocabulary on its last axis
  std::vector<CarriedState> states{};  // in the order of the inputs
  bool is_batch_first =
      false;  // ids are [batch, time] instead of [time, batch]; logits in the same order
  bool operator==(const LanguageModel&) const = default;
};

// {"ids": "tokens", "logits": "scores", "states": {"h": "h_next"}, "layout": "time-batch" | "batch-time"}; keys left out keep what
// match_ports finds. Refuses unknown keys and values of the wrong type with Error(bad_input).
[[nodiscard]] LanguageModel language_model_from_json(const Json& object);
[[nodiscard]] Json to_json(const LanguageModel& model);

// MODEL.language.json beside MODEL.onnx; nothing where there is no such file. Throws Error(bad_input) naming the file.
[[nodiscard]] std::optional<LanguageModel> find_language_sidecar(
    const std::filesystem::path& model);

// Fills in what `given` leaves empty: ids is the only input of integers; every other input X is a state with the output X_out; logits is
// the only output that is left. Throws Error(bad_input) naming the input or output where that is not so, where a name is none of the
// model's, and where an input is neither ids nor state.
[[nodiscard]] LanguageModel match_ports(const LanguageModel& given, const std::vector<Port>& inputs,
                                        const std::vector<Port>& outputs);

}  // namespace ocs
