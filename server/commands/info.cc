// INFO, TIME and LOLWUT: what the server tells of itself without being asked for data.
#include "server/execution/info.h"

#include <fmt/format.h>

#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// INFO [section ...]. Replies: the text of the sections.
Status info(CommandContext& ctx) {
  ctx.reply().verbatim("txt", info_text(ctx.server, ctx.now(), ctx.args().subspan(1)));
  return Status::ok();
}

// TIME. Replies: seconds since the Unix epoch, and the microseconds of this one.
Status time(CommandContext& ctx) {
  ctx.reply().array(2);
  ctx.reply().bulk_integer(ctx.now().wall.us / 1000000);
  ctx.reply().bulk_integer(ctx.now().wall.us % 1000000);
  return Status::ok();
}

// A night sky over the sea with one lit window: a look-out (which is what the name means) on its rock. The stars differ
// from call to call.
std::string picture(Rng& rng, int columns, int rows) {
  static constexpr std::string_view kTower[] = {"  _|_  ", "  |#|  ", "  | |  ", " _|_|_ ", "/_____\\"};
  constexpr int kTowerRows = 5, kTowerColumns = 7;
  std::string out;
  for (int row = 0; row < rows; row++) {
    std::string line(size_t(columns), ' ');
    for (char& place : line) {
      const uint64_t chance = rng.below(100);
      place = chance < 3 ? '.' : chance < 4 ? '*' : chance < 5 ? '+' : ' ';
    }
    const int tower_row = row - (rows - kTowerRows);
    if (tower_row >= 0) line.replace(size_t(columns - kTowerColumns), kTowerColumns, kTower[tower_row]);
    out += line + '\n';
  }
  for (int column = 0; column < columns; column++) out += rng.below(3) ? '~' : '-';
  return out + '\n';
}

// LOLWUT [VERSION version] [columns rows]. Replies: a picture, and the versions.
Status lolwut(CommandContext& ctx) {
  size_t at = 1;
  int64_t sizes[2] = {40, 10};
  if (ctx.argc() >= 3 && equals_ignoring_case(ctx.arg(1), "VERSION")) {
    ArgReader args(ctx.args(), 2);
    args.integer();  // every version shows the same kind of picture
    if (!args.is_ok()) return args.status();
    at = 3;
  }
  ArgReader args(ctx.args(), at);
  const bool any_text = at == 1;  // without VERSION, words that are no numbers are passed over
  for (int64_t& size : sizes) {
    if (!args.more()) break;
    size = args.integer();
    if (!args.is_ok() && !any_text) return args.status();
  }
  const int columns = int(std::clamp<int64_t>(sizes[0], 8, 120)), rows = int(std::clamp<int64_t>(sizes[1], 6, 60));
  std::string text = picture(ctx.rng(), columns, rows);
  text += fmt::format("\nRedis ver. {} (Vedette {})\n", kCompatibleVersion, ctx.server.process.version);
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "INFO", .usage = "[section [section ...]]", .arity = -1, .flags = kLoading | kStale, .category = "server",
      .acl = "dangerous", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Tells the server's state and figures, by sections.",
      .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special",
      .history = "7.0.0|Several sections can be named."}, info},
    {{.name = "TIME", .arity = 1, .flags = kLoading | kStale | kFast, .category = "server", .since = "2.6.0",
      .complexity = "O(1)", .summary = "Returns the server's time.", .tips = "nondeterministic_output"}, time},
    {{.name = "LOLWUT", .usage = "[VERSION version] [columns [rows]]", .arity = -1, .flags = kReadOnly | kFast,
      .category = "server", .since = "5.0.0", .summary = "Draws a picture and names the version."}, lolwut},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> info_commands() { return kCommands; }

}  // namespace vedette
