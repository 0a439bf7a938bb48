#include "ocs/evaluate/language_model.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::string_view time_first = "time-batch";
constexpr std::string_view batch_first = "batch-time";

bool are_ids(ElementType type) { return type == ElementType::int64 || type == ElementType::int32; }

std::vector<std::string> names_of(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

const Port& port_named(const std::vector<Port>& ports, const std::string& name,
                       std::string_view kind) {
  const auto found = std::ranges::find(ports, name, &Port::name);
  if (found != ports.end()) return *found;
  throw_bad_input(fmt::format("the model has no {} '{}'{}; it has {}", kind, name,
                              did_you_mean(name, names_of(ports)),
                              fmt::join(names_of(ports), ", ")));
}

std::string find_ids(const std::vector<Port>& inputs) {
  std::vector<std::string> found;
  for (const Port& input : inputs)
    if (are_ids(input.type)) found.push_back(input.name);
  if (found.size() == 1) return found.front();
  throw_bad_input(
      found.empty()
          ? fmt::format("none of the model's inputs ({}) takes ids: integers",
                        fmt::join(names_of(inputs), ", "))
          : fmt::format("{} inputs of the model take integers ({}); say which takes the ids in "
                        "MODEL.language.json",
                        found.size(), fmt::join(found, ", ")));
}

// Every input but the ids, with the output of its name and `_out`.
std::vector<CarriedState> find_states(const std::vector<Port>& inputs,
                                      const std::vector<Port>& outputs, const std::string& ids) {
  std::vector<CarriedState> states;
  for (const Port& input : inputs) {
    if (input.name == ids) continue;
    const std::string output = input.name + "_out";
    if (std::ranges::find(outputs, output, &Port::name) == outputs.end()) {
      throw_bad_input(
          fmt::format("the input '{}' is no state: the model has no output '{}'; name "
                      "the states in MODEL.language.json",
                      input.name, output));
    }
    states.push_back({.input = input.name, .output = output});
  }
  return states;
}

std::string find_logits(const std::vector<Port>& outputs, const std::vector<CarriedState>& states) {
  std::vector<std::string> left;
  for (const Port& output : outputs)
    if (std::ranges::find(states, output.name, &CarriedState::output) == states.end())
      left.push_back(output.name);
  if (left.size() == 1) return left.front();
  throw_bad_input(left.empty()
                      ? std::string("every output of the model is a state: none gives logits")
                      : fmt::format("{} outputs of the model are no states ({}); say which gives "
                                    "the logits in MODEL.language.json",
                                    left.size(), fmt::join(left, ", ")));
}

void check_all_inputs_known(const LanguageModel& model, const std::vector<Port>& inputs) {
  std::set<std::string> known{model.ids};
  for (const CarriedState& state : model.states) known.insert(state.input);
  for (const Port& input : inputs)
    if (!known.contains(input.name))
      throw_bad_input(
          fmt::format("the input '{}' is neither the ids nor one of the states", input.name));
}

}  // namespace

LanguageModel language_model_from_json(const Json& object) {
  if (!object.is_object())
    throw_bad_input("an object with the keys ids, logits, states, layout is needed");
  refuse_unknown_keys(object, {"ids", "logits", "states", "layout"});
  LanguageModel model{.ids = value_or<std::string>(object, "ids", ""),
                      .logits = value_or<std::string>(object, "logits", "")};
  const auto layout = value_or<std::string>(object, "layout", std::string(time_first));
  if (layout != time_first && layout != batch_first)
    throw_bad_input(
        fmt::format("layout: '{}' is neither {} nor {}", layout, time_first, batch_first));
  model.is_batch_first = layout == batch_first;
  if (const auto states = object.find("states"); states != object.end()) {
    if (!states->is_object()) throw_bad_input("states: an object of input: output is needed");
    for (const auto& [input, output] : states->items()) {
      if (!output.is_string())
        throw_bad_input(fmt::format("states: '{}' needs the name of an output", input));
      model.states.push_back({.input = input, .output = output.get<std::string>()});
    }
  }
  return model;
}

Json to_json(const LanguageModel& model) {
  Json object = Json::object();
  if (!model.ids.empty()) object["ids"] = model.ids;
  if (!model.logits.empty()) object["logits"] = model.logits;
  for (const CarriedState& state : model.states) object["states"][state.input] = state.output;
  if (model.is_batch_first) object["layout"] = batch_first;
  return object;
}

std::optional<LanguageModel> find_language_sidecar(const std::filesystem::path& model) {
  std::filesystem::path file = model;
  if (file.extension() == ".onnx") file.replace_extension();
  file += ".language.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const Json object = read_json(file);
  return while_doing(file.string(), [&] { return language_model_from_json(object); });
}

LanguageModel match_ports(const LanguageModel& given, const std::vector<Port>& inputs,
                          const std::vector<Port>& outputs) {
  LanguageModel model = given;
  if (model.ids.empty()) model.ids = find_ids(inputs);
  const Port& ids = port_named(inputs, model.ids, "input");
  if (!are_ids(ids.type)) {
    throw_bad_input(fmt::format("the input '{}' takes {}, ids are int64 or int32", ids.name,
                                name_of(ids.type)));
  }
  if (ids.shape.size() != 2) {
    throw_bad_input(fmt::format("the input '{}' has the shape {}, ids are [time, batch]", ids.name,
                                to_string(ids.shape)));
  }
  if (model.states.empty()) model.states = find_states(inputs, outputs, model.ids);
  for (const CarriedState& state : model.states) {
    (void)port_named(inputs, state.input, "input");
    (void)port_named(outputs, state.output, "output");
  }
  if (model.logits.empty()) model.logits = find_logits(outputs, model.states);
  (void)port_named(outputs, model.logits, "output");
  check_all_inputs_known(model, inputs);
  return model;
}

}  // namespace ocs
