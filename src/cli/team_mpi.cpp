// The one door to MPI (docs/adr/0019). Everything goes through messages that are asked for again and
// again with a pause between: the library's own waiting keeps a core busy, which the members that
// still work need.
#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include "cli/team.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/version.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/sweep/identity.h"

namespace ocs::cli {
namespace {

constexpr auto pause = std::chrono::milliseconds(1);
enum Tag : int { text_tag, ask_tag, answer_tag };
constexpr long long none_left = -1;

struct Membership {
  int rank = 0;
  int size = 1;
  std::optional<ThreadLimit> threads{};
};

// Of this process, once it has joined.
std::optional<Membership>& membership() {
  static std::optional<Membership> joined;
  return joined;
}

void wait_for(MPI_Request& request) {
  int done = 0;
  while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done == 0)
    std::this_thread::sleep_for(pause);
}

void send_bytes(const void* bytes, std::size_t size, int to, Tag tag) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Isend(bytes, static_cast<int>(size), MPI_BYTE, to, tag, MPI_COMM_WORLD, &request);
  wait_for(request);
}

void receive_bytes(void* bytes, std::size_t size, int from, Tag tag) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Irecv(bytes, static_cast<int>(size), MPI_BYTE, from, tag, MPI_COMM_WORLD, &request);
  wait_for(request);
}

// A message counts its bytes in an int: longer texts go in pieces.
constexpr std::size_t largest_piece = std::size_t{1} << 30U;
static_assert(largest_piece <= INT_MAX);

void send_text(const std::string& text, int to) {
  const unsigned long long size = text.size();
  send_bytes(&size, sizeof size, to, text_tag);
  for (std::size_t at = 0; at < text.size(); at += largest_piece)
    send_bytes(text.data() + at, std::min(largest_piece, text.size() - at), to, text_tag);
}

std::string receive_text(int from) {
  unsigned long long size = 0;
  receive_bytes(&size, sizeof size, from, text_tag);
  std::string text(size, '\0');
  for (std::size_t at = 0; at < text.size(); at += largest_piece)
    receive_bytes(text.data() + at, std::min(largest_piece, text.size() - at), from, text_tag);
  return text;
}

std::vector<std::string> gather(const Membership& member, const std::string& text) {
  if (member.rank > 0) {
    send_text(text, 0);
    return {};
  }
  std::vector<std::string> texts{text};
  for (int rank = 1; rank < member.size; ++rank) texts.push_back(receive_text(rank));
  return texts;
}

std::string broadcast(const Membership& member, const std::string& text) {
  if (member.rank > 0) return receive_text(0);
  for (int rank = 1; rank < member.size; ++rank) send_text(text, rank);
  return text;
}

// At rank 0: numbers for itself, and a thread that answers the others until each was told that none
// are left. Only that thread calls MPI as long as the object lives. Destroyed with numbers left (a
// point has failed) it leaves the others alone, which are ended soon.
class Dealer {
 public:
  Dealer(std::size_t count, int size)
      : count_(count),
        others_(size - 1),
        thread_([this](const std::stop_token& stop) { answer(stop); }) {}

  std::optional<std::size_t> next() {
    const std::scoped_lock lock(mutex_);
    return next_ < count_ ? std::optional(next_++) : std::nullopt;
  }

 private:
  [[nodiscard]] bool has_numbers() {
    const std::scoped_lock lock(mutex_);
    return next_ < count_;
  }

  void answer(const std::stop_token& stop) {
    for (int waiting = others_; waiting > 0;) {
      if (stop.stop_requested() && has_numbers()) return;
      int asked = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, ask_tag, MPI_COMM_WORLD, &asked, &status);
      if (asked == 0) {
        std::this_thread::sleep_for(pause);
        continue;
      }
      char nothing = 0;
      receive_bytes(&nothing, 1, status.MPI_SOURCE, ask_tag);
      const std::optional<std::size_t> number = next();
      const long long reply = number ? static_cast<long long>(*number) : none_left;
      send_bytes(&reply, sizeof reply, status.MPI_SOURCE, answer_tag);
      if (!number) --waiting;
    }
  }

  std::size_t count_;
  int others_;
  std::mutex mutex_{};
  std::size_t next_ = 0;
  std::jthread thread_;  // last: it uses what stands above
};

// At the others: asks rank 0, one at a time.
class Asker {
 public:
  std::optional<std::size_t> next() {
    const std::scoped_lock lock(mutex_);
    if (over_) return std::nullopt;
    const char nothing = 0;
    send_bytes(&nothing, 1, 0, ask_tag);
    long long number = none_left;
    receive_bytes(&number, sizeof number, 0, answer_tag);
    over_ = number == none_left;
    return over_ ? std::nullopt : std::optional(static_cast<std::size_t>(number));
  }

 private:
  std::mutex mutex_{};
  bool over_ = false;
};

Deal deal(const Membership& member, std::size_t count) {
  if (member.rank == 0) {
    const auto dealer = std::make_shared<Dealer>(count, member.size);
    return [dealer] { return dealer->next(); };
  }
  const auto asker = std::make_shared<Asker>();
  return [asker] { return asker->next(); };
}

// By what mpirun tells the processes that it starts: starting MPI in one that runs by itself costs a
// tenth of a second and a helper process.
bool started_by_mpirun() {
  return std::ranges::any_of(std::array{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"},
                             // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
                             [](const char* name) { return std::getenv(name) != nullptr; });
}

std::size_t members_on_this_machine(int rank) {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &machine);
  int size = 1;
  MPI_Comm_size(machine, &size);
  MPI_Comm_free(&machine);
  return static_cast<std::size_t>(size);
}

// What this member may use of its machine: its share of the cores, but not more than mpirun has bound it to.
std::size_t threads_of_member(std::size_t neighbours) {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  const std::size_t share = static_cast<std::size_t>(std::max(cores, 1L)) / neighbours;
  cpu_set_t bound;
  CPU_ZERO(&bound);
  const bool known = sched_getaffinity(0, sizeof bound, &bound) == 0;
  const std::size_t most = known ? static_cast<std::size_t>(CPU_COUNT(&bound)) : share;
  return std::clamp<std::size_t>(share, 1, std::max<std::size_t>(most, 1));
}

// Parts that differ in their last bits must not meet in one result.
void require_one_build(const Membership& member) {
  const std::string own = fmt::format("ocs {}, build {}, ONNX Runtime {}", version(),
                                      running_build(), onnx_runtime_version());
  const std::vector<std::string> all = gather(member, own);
  std::string complaint;
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != own && complaint.empty())
      complaint =
          fmt::format("rank {} runs another program ({}) than rank 0 ({})", rank, all[rank], own);
  complaint = broadcast(member, complaint);
  if (!complaint.empty()) throw_bad_input(complaint);
}

}  // namespace

Team join_team(const CommonOptions& options) {
  if (!started_by_mpirun()) return {};
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  Membership& member = membership().emplace();
  MPI_Comm_rank(MPI_COMM_WORLD, &member.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &member.size);
  if (provided < MPI_THREAD_SERIALIZED)
    throw_bad_input("this MPI library serves one thread alone (MPI_THREAD_SERIALIZED is needed)");
  if (member.size == 1) return {};
  const std::size_t neighbours = members_on_this_machine(member.rank);
  if (options.threads == 0) member.threads.emplace(threads_of_member(neighbours));
  require_one_build(member);
  return {.rank = static_cast<std::size_t>(member.rank),
          .size = static_cast<std::size_t>(member.size),
          .on_this_machine = neighbours,
          .gather = [&member](const std::string& text) { return gather(member, text); },
          .broadcast = [&member](const std::string& text) { return broadcast(member, text); },
          .deal = [&member](std::size_t count) { return deal(member, count); }};
}

void leave_team(int code) {
  if (!membership()) return;
  if (code != 0) MPI_Abort(MPI_COMM_WORLD, code);
  // Those that are done wait without keeping a core busy, as MPI_Finalize would.
  MPI_Request all_done = MPI_REQUEST_NULL;
  MPI_Ibarrier(MPI_COMM_WORLD, &all_done);
  wait_for(all_done);
  membership().reset();
  MPI_Finalize();
}

std::string speaker_of_error() {
  if (!membership() || membership()->rank == 0) return "";
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return fmt::format("rank {}: ", membership()->rank);
}

}  // namespace ocs::cli
