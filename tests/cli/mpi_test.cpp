// ocs under mpirun, several ranks on this machine. Skipped where the program was built without MPI.
#include <cstdint>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/io/model_file.h"
#include "support/cifar.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string spec_of(const std::string& columns) {
  return R"({"model": "net.onnx", "calib": "data.bin", "calib_format": "cifar10", "data": "data.bin", "format": "cifar10",
      "preprocess": "scale=1/127.5,mean=1", "recipe": "paper",
      "rows": [{"name": "4", "weight_bits": 4}, {"name": "3", "weight_bits": 3}, {"name": "2", "weight_bits": 2}],
      "columns": [{"name": "none"}, {"name": "kl", "weight_clip": "kl"}, {"name": "mse", "weight_clip": "mse"})" +
         columns + "]}";
}

class Mpi : public testing::Test {
 protected:
  void SetUp() override {
#ifndef OCS_MPIRUN
    GTEST_SKIP() << "built without MPI: configure with -DOCS_MPI=ON, or run make mpi";
#endif
    write_model(text_model(small_classifier), folder_ / "net.onnx");
    write_bytes(folder_ / "data.bin", cifar_pictures(1500));
    write_bytes(folder_ / "s.json",
                spec_of(R"(, {"name": "best", "best_of": ["none", "kl"], "expand_ratio": 0.2})"));
  }
  // `$ocs` and `$mpirun` in the line stand for the programs.
  [[nodiscard]] ProgramRun shell(const std::string& line) const {
#ifdef OCS_MPIRUN
    const std::string mpirun = OCS_MPIRUN;
#else
    const std::string mpirun = "false";
#endif
    // Open MPI asks whether root means it; a hang must not hold up all tests.
    const std::string set =
        "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; ocs=" OCS_BINARY_DIR
        "/ocs; mpirun='timeout 300 " +
        mpirun + " --oversubscribe'; ";
    return run_program("/bin/sh", {"-c", set + line}, folder_.path());
  }
  std::string output_of(const std::string& line) const {
    const ProgramRun done = shell(line);
    EXPECT_EQ(done.code, 0) << line << ": " << done.err;
    return done.out;
  }
  [[nodiscard]] std::string bytes(const std::string& file) const {
    return fs::exists(folder_ / file) ? bytes_of(folder_ / file) : "";
  }

  TestFolder folder_;
};

TEST_F(Mpi, QuantizesToTheBytesOfOneProcess) {
  const std::string line =
      "$ocs quantize net.onnx --calib data.bin --format cifar10 --calib-count 100 --quiet -o ";
  output_of(line + "one.onnx --save-stats one.json");
  ASSERT_FALSE(bytes("one.onnx").empty());
  for (const std::string ranks : {"1", "2", "4"}) {
    const std::string name = "of" + ranks;
    output_of("$mpirun -n " + ranks + " " + line + name + ".onnx --save-stats " + name + ".json");
    EXPECT_EQ(bytes(name + ".onnx"), bytes("one.onnx")) << ranks;
    EXPECT_EQ(bytes(name + ".json"), bytes("one.json")) << ranks;
  }
}

TEST_F(Mpi, QuantizesWithMoreRanksThanSamples) {
  const std::string line = "$ocs quantize net.onnx --synthetic 2 --quiet -o ";
  output_of(line + "one.onnx");
  output_of("$mpirun -n 4 " + line + "many.onnx");
  EXPECT_EQ(bytes("many.onnx"), bytes("one.onnx"));
}

TEST_F(Mpi, SweepsToTheTablesOfOneProcess) {
  const std::string whole = output_of("$ocs sweep s.json -o one --count 100 --quiet");
  for (const std::string ranks : {"1", "2", "4"}) {
    const std::string folder = "of" + ranks;
    EXPECT_EQ(
        output_of("$mpirun -n " + ranks + " $ocs sweep s.json --count 100 --quiet -o " + folder),
        whole)
        << ranks;
    EXPECT_EQ(bytes(folder + "/table.md"), bytes("one/table.md")) << ranks;
    std::size_t statistics = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / folder)) {
      const std::string name = entry.path().filename().string();
      EXPECT_THAT(name, Not(HasSubstr("journal-")));
      if (!name.starts_with("stats-")) continue;
      ++statistics;
      EXPECT_EQ(bytes(folder + "/" + name), bytes("one/" + name)) << ranks;
    }
    EXPECT_EQ(statistics, 1U);
    EXPECT_EQ(parse_json(output_of("$ocs sweep s.json --count 100 --json --quiet -o " + folder),
                         "answer")["computed"],
              0);
  }
}

// Keys of the points in a journal.
void add_keys(const std::string& journal, std::set<std::string>& keys) {
  std::istringstream lines(journal);
  std::string line;
  std::getline(lines, line);  // the head
  while (std::getline(lines, line))
    if (line.ends_with('}')) keys.insert(parse_json(line, "line")["key"].get<std::string>());
}

TEST_F(Mpi, LosesNoFinishedPointWhenARankDies) {
  // Rank 1 is killed as soon as it has finished its first point.
  const ProgramRun died =
      shell("$mpirun -n 1 $ocs sweep s.json -o out --quiet : -n 1 sh -c '" OCS_BINARY_DIR
            "/ocs sweep s.json -o out --quiet & p=$!; "
            "until [ \"$(cat out/journal-1.jsonl 2>/dev/null | wc -l)\" -ge 2 ]; do kill -0 $p || "
            "exit 3; "
            "sleep 0.01; done; kill -9 $p; wait $p; exit 9'");
  EXPECT_NE(died.code, 0);
  EXPECT_EQ(bytes("out/table.md"), "");
  std::set<std::string> finished;
  add_keys(bytes("out/journal-1.jsonl"), finished);
  EXPECT_GE(finished.size(), 1U);
  add_keys(bytes("out/journal.jsonl"), finished);
  ASSERT_LT(finished.size(), 13U) << "nothing was left to go on with";

  const Json rest =
      parse_json(output_of("$mpirun -n 2 $ocs sweep s.json -o out --json --quiet"), "answer");
  EXPECT_EQ(rest["computed"], 13 - finished.size());
  EXPECT_FALSE(fs::exists(folder_ / "out/journal-1.jsonl"));
  output_of("$ocs sweep s.json -o one --quiet");
  EXPECT_EQ(bytes("out/table.md"), bytes("one/table.md"));
}

TEST_F(Mpi, TakesOverWithoutMpirunToo) {
  output_of("$ocs sweep s.json -o out --count 100 --quiet");
  // As if rank 3 had done all of it.
  fs::rename(folder_ / "out/journal.jsonl", folder_ / "out/journal-3.jsonl");
  EXPECT_EQ(parse_json(output_of("$ocs sweep s.json -o out --count 100 --json --quiet"),
                       "answer")["computed"],
            0);
  EXPECT_FALSE(fs::exists(folder_ / "out/journal-3.jsonl"));
}

TEST_F(Mpi, RefusesRanksOfDifferentBuilds) {
  output_of("cp $ocs other; printf x >> other");
  const ProgramRun mixed = shell(
      "$mpirun -n 1 $ocs quantize net.onnx --synthetic 4 -o out.onnx : "
      "-n 1 ./other quantize net.onnx --synthetic 4 -o out.onnx");
  EXPECT_EQ(mixed.code, 2) << mixed.err;
  EXPECT_THAT(mixed.err, HasSubstr("rank 1 runs another program (ocs "));
  EXPECT_FALSE(fs::exists(folder_ / "out.onnx"));
}

TEST_F(Mpi, TellsAnErrorOfAllRanksOnce) {
  const ProgramRun failed =
      shell("$mpirun -n 2 $ocs quantize nowhere.onnx --synthetic 4 -o out.onnx");
  EXPECT_EQ(failed.code, 2) << failed.err;
  const std::string message = "nowhere.onnx: no such file";
  const std::size_t first = failed.err.find(message);
  EXPECT_NE(first, std::string::npos) << failed.err;
  EXPECT_EQ(failed.err.find(message, first + 1), std::string::npos) << failed.err;
}

TEST_F(Mpi, LeavesShardsAlone) {
  const std::string shard =
      "$ocs quantize net.onnx --synthetic 5 --quiet --shard 1/1 --save-stats ";
  output_of(shard + "one.json");
  output_of("$mpirun -n 1 " + shard + "under.json");
  EXPECT_EQ(bytes("under.json"), bytes("one.json"));
}

// What a program without MPI says, where mpirun would have it do everything several times.
TEST(WithoutMpi, SeveralCopiesAreRefused) {
#ifdef OCS_MPIRUN
  GTEST_SKIP() << "built with MPI";
#endif
  const TestFolder folder;
  write_model(text_model(small_classifier), folder / "net.onnx");
  const std::string quantize =
      "OMPI_COMM_WORLD_SIZE=4 " OCS_BINARY_DIR "/ocs quantize net.onnx --synthetic 4 --quiet ";
  const ProgramRun refused =
      run_program("/bin/sh", {"-c", quantize + "-o out.onnx"}, folder.path());
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err,
              HasSubstr("mpirun started 4 copies of an ocs that was built without MPI"));
  EXPECT_EQ(
      run_program("/bin/sh", {"-c", quantize + "--shard 1/4 --save-stats s.json"}, folder.path())
          .code,
      0);
}

}  // namespace
}  // namespace ocs
