// Fuzz target of the configuration: any text is read or refused with a reason; what was read is rewritten into a text that
// reads back as the same values.
#include <string>

#include "common/base/assert.h"
#include "server/app/options.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace vedette;

ConfigReader no_files() {
  ConfigReader reader;
  reader.read = [](const std::string&) -> Result<std::string> { return Error("no such file"); };
  reader.expand = [](const std::string&) { return std::vector<std::string>(); };
  return reader;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ServerOptions options;
  ConfigRegistry registry(server_option_groups(options, OptionEnvironment{}));
  const auto problem = read_config_text(no_files(), "fuzz", text, registry.loader());
  if (problem) {
    VED_ASSERT(!problem->reason.empty());
    VED_ASSERT(!problem->report("Vedette").empty());
    return 0;
  }
  const std::string rewritten = registry.rewritten(text);
  ServerOptions again;
  ConfigRegistry second(server_option_groups(again, OptionEnvironment{}));
  const auto refused = read_config_text(no_files(), "fuzz", rewritten, second.loader());
  VED_ASSERT(!refused);
  VED_ASSERT(registry.get({"*"}) == second.get({"*"}));
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "port 7000\nbind 127.0.0.1 -::1\nmaxmemory 100mb\nmaxmemory-policy allkeys-lru\n",
      "# comment\nsave 900 1\nsave \"\"\nsave 60 100 300 10\nclient-output-buffer-limit normal 0 0 0 pubsub 32mb 8mb 60\n",
      "requirepass \"a \\x41\\n\"\nuser alice on nopass ~*\nrename-command FLUSHALL \"\"\n",
      "notify-keyspace-events KEA\nslave-priority 5\nhash-max-ziplist-entries 9\noom-score-adj-values 0 200 800\n",
      "include other.conf\n",
      "latency-tracking-info-percentiles 50 99.9\nloglevel debug\nlogfile ''\n"};
  return kCorpus;
}
