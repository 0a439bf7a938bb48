// Parts of a model that can be run by themselves.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/graph/model.h"

namespace ocs {

// A value that all that is computed behind a node is computed from, initializers aside.
struct Cut {
  std::string value{};
  std::size_t node =
      0;  // index in graph().node(): what comes after it reads nothing else from before
};

// All cuts of the main graph, in its order. What follows the last reader of any value has none.
[[nodiscard]] std::vector<Cut> find_cuts(const Graph& graph);

// Indices of the nodes of the main graph that bear on these values. Names that it does not have bear on nothing.
[[nodiscard]] std::set<std::size_t> needed_nodes(const Graph& graph,
                                                 const std::vector<std::string>& values);

// The nodes, initializers and functions that bear on the values `to`, which are the outputs. Values `from` of the
// main graph are inputs with the given shapes, and what only they need stays behind; the others are the model's
// own inputs: all of them where nothing is given, else those that are needed. Throws Error(bad_input) for a name in `to` that the main graph does not have, Error(internal) for a value
// in `from` that is not float.
[[nodiscard]] Model segment(const Model& model, const std::vector<Port>& from,
                            const std::vector<std::string>& to);

}  // namespace ocs
