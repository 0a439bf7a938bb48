// Holds docs/architecture.md and the tree to each other: the layer table against the includes and
// the link lists, the tree against the folders. A failure names the file; either the file or the
// page is wrong.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

const fs::path root = OCS_SOURCE_DIR;
constexpr auto longest_file = 400;

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string in_tree(const fs::path& file) { return file.lexically_relative(root).generic_string(); }

// Sources of ours under `folder`, in the order of their names.
std::vector<fs::path> sources(const std::string& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(root / folder)) {
    return found;
  }
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    if (const auto kind = entry.path().extension(); kind == ".h" || kind == ".cpp") {
      found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

std::vector<std::string> includes(const fs::path& file) {
  static const std::regex line(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"])re");
  const std::string text = read(file);
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), line), end; match != end; ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

std::vector<std::string> split(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) {
      parts.push_back(text.substr(at, end - at));
    }
    at = end + 1;
  }
  return parts;
}

struct Row {
  std::string layer;
  std::vector<std::string> uses;   // "all" stands for every row above
  std::vector<std::string> begin;  // files to begin reading with
};

// The rows between the heading "## Layers" and the next heading.
std::vector<Row> layer_table() {
  std::istringstream page(read(root / "docs/architecture.md"));
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) {
      inside = line == "## Layers";
    }
    if (!inside || !line.starts_with("| ") || line.starts_with("| layer ")) {
      continue;
    }
    const auto cells = split(line, "|");
    Row row{.layer = split(cells.at(0), " ").at(0),
            .uses = split(cells.at(1), " ,"),
            .begin = split(cells.at(3), " ,`")};
    if (row.uses == std::vector<std::string>{"-"}) {
      row.uses.clear();
    }
    if (row.uses == std::vector<std::string>{"all"}) {
      row.uses.clear();
      std::ranges::transform(rows, std::back_inserter(row.uses), &Row::layer);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::map<std::string, std::set<std::string>> allowed() {
  std::map<std::string, std::set<std::string>> table;
  for (const Row& row : layer_table()) {
    table[row.layer] = {row.uses.begin(), row.uses.end()};
    table[row.layer].insert(row.layer);
  }
  return table;
}

// The layer that a path such as "ocs/core/error.h" or "cli/main.cpp" belongs to.
std::string layer_of(const std::string& path) {
  const auto parts = split(path, "/");
  if (parts.at(0) != "ocs") {
    return parts.at(0);
  }
  return parts.size() < 3 ? "pipeline" : parts.at(1);
}

// Files in src/ that include a header whose whole name matches.
std::vector<std::string> including(const std::string& pattern) {
  const std::regex header(pattern);
  std::vector<std::string> files;
  for (const fs::path& file : sources("src")) {
    const auto matches = [&](const std::string& name) { return std::regex_match(name, header); };
    if (std::ranges::any_of(includes(file), matches)) {
      files.push_back(in_tree(file));
    }
  }
  return files;
}

TEST(LayerTable, UsesOnlyLayersAboveInTheTable) {
  std::set<std::string> above;
  for (const Row& row : layer_table()) {
    for (const std::string& used : row.uses) {
      EXPECT_TRUE(above.contains(used))
          << row.layer << " may use " << used << ", which stands below it or nowhere";
    }
    above.insert(row.layer);
  }
  EXPECT_GT(above.size(), 10U) << "the table was not found in docs/architecture.md";
}

TEST(LayerTable, IsKeptByEveryInclude) {
  const auto table = allowed();
  for (const fs::path& file : sources("src")) {
    const std::string layer = layer_of(file.lexically_relative(root / "src").generic_string());
    ASSERT_TRUE(table.contains(layer)) << in_tree(file) << ": no row for layer " << layer;
    for (const std::string& header : includes(file)) {
      if (header.starts_with("ocs/") || header.starts_with("cli/")) {
        EXPECT_TRUE(table.at(layer).contains(layer_of(header)))
            << in_tree(file) << " includes " << header << ", but " << layer << " may not use "
            << layer_of(header);
      }
    }
  }
}

TEST(LayerTable, IsKeptByEveryLinkList) {
  static const std::regex call(R"re(ocs_layer\(\s*(\w+)([^)]*)\))re");
  static const std::regex uses(R"re(\bUSES\s+([a-z_\s]+))re");
  const auto table = allowed();
  for (const auto& entry : fs::directory_iterator(root / "src/ocs")) {
    const std::string text = read(entry.path() / "CMakeLists.txt");
    std::smatch layer;
    std::smatch list;
    if (!std::regex_search(text, layer, call)) {
      continue;
    }
    const std::string arguments = layer[2];
    if (!std::regex_search(arguments, list, uses)) {
      continue;
    }
    for (const std::string& used : split(list[1], " \n")) {
      EXPECT_TRUE(table.contains(layer[1]) && table.at(layer[1]).contains(used))
          << in_tree(entry.path()) << " links " << used << ", which is not in its row";
    }
  }
}

TEST(Includes, OfOursAreWrittenFromTheRootOfTheTree) {
  static const std::regex quoted(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*"([^"]+)")re");
  for (const fs::path& file : sources("src")) {
    const std::string text = read(file);
    for (std::sregex_iterator match(text.begin(), text.end(), quoted), end; match != end; ++match) {
      EXPECT_THAT((*match)[1].str(), AnyOf(StartsWith("ocs/"), StartsWith("cli/")))
          << in_tree(file);
    }
  }
}

TEST(Includes, OfOnnxRuntimeAreInTheEngine) {
  const auto files = including("(.*/)?onnxruntime.*");
  EXPECT_THAT(files, AllOf(Not(IsEmpty()), Each(MatchesRegex("src/ocs/engine/.*"))));
  // Its header stays inside of the folder: no public one leads to it.
  for (const std::string& user : including("ocs/engine/runtime_.*"))
    EXPECT_THAT(user, StartsWith("src/ocs/engine/"));
}

TEST(Includes, OfTheJsonLibraryAreInOnePlace) {
  EXPECT_THAT(including("nlohmann/.*"), Each(StartsWith("src/ocs/core/json.")));
}

TEST(Includes, OfMpiAreInOneSourceOfTheProgram) {
  EXPECT_THAT(including("mpi.h"), ElementsAre("src/cli/team_mpi.cpp"));
}

TEST(Includes, OfTheCommandLineLibraryAreInTheProgram) {
  EXPECT_THAT(including("CLI/.*"), Each(StartsWith("src/cli/")));
}

TEST(Includes, OfOnnxAreNotInTheNumericHalf) {
  EXPECT_THAT(including("(onnx|google/protobuf)/.*"),
              Each(Not(MatchesRegex("src/ocs/(core|quant|clip|split|round|recipe)/.*"))));
}

TEST(Sources, FitOnAFewScreens) {
  for (const std::string folder : {"src", "tests", "bench", "fuzz", "examples"}) {
    for (const fs::path& file : sources(folder)) {
      const std::string text = read(file);
      EXPECT_LE(std::ranges::count(text, '\n'), longest_file)
          << in_tree(file) << " has too many lines: one duty a file";
    }
  }
}

TEST(Sources, GuardTheirHeadersWithAPragma) {
  for (const std::string folder : {"src", "tests", "bench", "fuzz", "examples"}) {
    for (const fs::path& file : sources(folder)) {
      if (file.extension() == ".h") {
        EXPECT_THAT(read(file), HasSubstr("#pragma once\n")) << in_tree(file);
      }
    }
  }
}

TEST(LayerTable, NamesFilesThatExist) {
  for (const Row& row : layer_table()) {
    const fs::path folder = root / "src" / (row.layer == "cli" ? "" : "ocs") / row.layer;
    EXPECT_FALSE(row.begin.empty()) << row.layer;
    for (const std::string& file : row.begin) {
      EXPECT_TRUE(fs::exists(folder / file)) << row.layer << " has no " << file;
    }
  }
}

TEST(Tree, HasTheFoldersOfThePage) {
  static const std::regex row("\\n\\| `([a-z_/]+/)` \\|");
  const std::string page = read(root / "docs/architecture.md");
  for (std::sregex_iterator match(page.begin(), page.end(), row), end; match != end; ++match) {
    EXPECT_TRUE(fs::is_directory(root / (*match)[1].str())) << (*match)[1];
  }
}

// Folders that hold something of ours and their name as the page writes it.
TEST(Tree, IsWhatThePageSays) {
  const std::string page = read(root / "docs/architecture.md");
  const auto rows = allowed();
  for (const std::string folder :
       {"src", "tests", "bench", "fuzz", "examples", "docs", "data", "cmake", "scripts"}) {
    if (!fs::exists(root / folder)) {
      continue;
    }
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const std::string path = in_tree(entry.path());
      const std::string name = entry.path().filename();
      if (!entry.is_directory() || path == "src/ocs" ||
          (folder == "tests" && rows.contains(name))) {
        continue;
      }
      EXPECT_TRUE(page.find("`" + path + "/`") != std::string::npos)
          << "no row for " << path << "/ in docs/architecture.md";
    }
  }
  for (const auto& entry : fs::directory_iterator(root / "src/ocs")) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(!entry.is_directory() || rows.contains(name)) << "no row for layer " << name;
  }
}

}  // namespace
