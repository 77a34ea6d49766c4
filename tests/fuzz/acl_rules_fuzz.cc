// Fuzz target of the rules of access control. Each line is the arguments of one ACL SETUSER, separated by
// single blanks, and all of it is read as a file of users. What is taken is told again as rules that make the
// same user of a new one: as arguments, in a file, and in a configuration; what is refused has a reason and
// changes nothing. The two ways to decide about a request agree.
#include <string>
#include <vector>

#include "common/base/assert.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/session/access_control.h"
#include "server/commands/families.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;

const ServerCommandTable& commands() {
  static ServerCommandTable table;
  if (table.size() == 0) add_all_commands(table);
  return table;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

void check_told_again(const AclUser& user, const AclCatalog& catalog) {
  AclUsers others(catalog);
  const std::string text = user.description();
  const auto words = split_at(text, ' ');
  const auto again = others.changed("u", words);
  VED_ASSERT(again && again->description() == text);
  const auto file = others.read("user u " + text, "f");
  VED_ASSERT(file && file->size() == 1 && (*file)[0].description() == text);
  static ClientRegistry nobody;
  static AccessControl access(commands(), nobody);
  VED_ASSERT(access.define({[&] {
    std::vector<std::string> line{"u"};
    for (const std::string_view word : words) line.emplace_back(word);
    return line;
  }()}));
  const auto lines = access.configuration_lines();
  VED_ASSERT(lines.size() == 2);
  const auto read_back = split_words(lines[1]);
  VED_ASSERT(read_back && check_user_words(catalog, *read_back));
}

void check_decisions(const AclUser& user, const AclCatalog& catalog, std::string_view bytes) {
  for (const char* name : {"get", "set", "mset", "publish", "psubscribe", "sort", "select", "auth"}) {
    const std::vector<std::string_view> args = {name, bytes, "0"};
    const CommandInfo* info = commands().find(args);
    const auto request_args = std::span(args).first(info->accepts_argument_count(3) ? 3 : 2);
    if (!info->accepts_argument_count(request_args.size())) continue;
    AclRequest request(catalog, *info, request_args);
    VED_ASSERT(user.decide(request).is_permitted() == user.permits(request.id, request_args));
    VED_ASSERT(!user.permits_everything() || user.decide(request).is_permitted());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool is_silent = configure_log({.level = LogLevel::kNothing});
  static const AclCatalog catalog(commands());
  VED_ASSERT(is_silent);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  AclUsers users(catalog);
  for (const std::string_view line : split_at(text, '\n')) {
    const auto rules = split_at(line, ' ');
    const AclUser* present = users.find("u");
    const std::string before = present ? present->description() : std::string();
    auto changed = users.changed("u", rules);
    if (!changed) {
      VED_ASSERT(changed.error().text().starts_with("ERR "));
      VED_ASSERT(!present || present->description() == before);
      continue;
    }
    changed->compile();
    const AclUser& user = users.store(std::move(*changed));
    VED_ASSERT(!present || &user == present);
    check_told_again(user, catalog);
    check_decisions(user, catalog, line);
  }
  const auto file = users.read(text, "f");
  if (!file) VED_ASSERT(!file.error().text().empty());
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "on >p ~a* %R~b &c +@read -get\noff <p resetkeys -@all +select|0 +config|get",
      "nopass +@all -@dangerous (+get ~x) (+set %W~y &z)\nclearselectors +client|help",
      "user ann on nopass ~* +@all\nuser bob off "
      "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940 (+get ~a)",
      "allkeys allchannels allcommands\nreset\nskip-sanitize-payload ~\"q ~a) &(b \nnocommands +debug|object",
      "( +get ~a\n(~[a-c]? +mget ) ~** %RW~* resetchannels &a* "
      "&*\n!148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940"};
  return kCorpus;
}
