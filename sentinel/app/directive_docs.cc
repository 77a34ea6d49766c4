// What conf/sentinel.conf says: the rows of the directives, and how the example is put together.
#include <fmt/format.h>

#include "sentinel/app/options.h"

namespace vedette::sentinel {
namespace {

constexpr size_t kWidth = 100;

std::string comment(std::string_view text) {
  std::string out, line = "#";
  while (!text.empty()) {
    const size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = "#";
    }
    line += " " + std::string(word);
    text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
  }
  return out + line + "\n";
}

std::string heading(std::string_view title) { return fmt::format("\n{:#<{}}\n# {}\n", "", kWidth, title); }

// The rows of directives, before the options of the program.
std::string directives_text(bool learned) {
  std::string text;
  for (const DirectiveDoc& doc : directive_docs()) {
    if (doc.learned != learned) continue;
    text += "\n" + comment(doc.doc);
    if (!doc.initial.empty()) {
      std::string facts = fmt::format("Default: {}", doc.initial);
      if (!doc.unit.empty()) facts += fmt::format(", in {}", doc.unit);
      text += comment(facts + ".");
    }
    if (doc.example.empty()) text += fmt::format("# sentinel {} {}\n", doc.name, doc.usage);
    else text += fmt::format("sentinel {} {}\n", doc.name, doc.example);
  }
  return text;
}

}  // namespace

const std::vector<DirectiveDoc>& directive_docs() {
  static const std::vector<DirectiveDoc> kDocs = {
      {"state-file", "PATH", "", "none",
       "Where this sentinel keeps what it learns and votes. Without this line it writes all that into this file, as the protocol's own "
       "sentinel does: the file must then be writable, and so must its folder. With it, this file is only read, may lie on a read-only "
       "disk, and is the same on all three hosts. What an operator changes here counts from the next start on; what SENTINEL SET, MONITOR "
       "and REMOVE have changed stays, unless the same line is edited here.",
       "/var/lib/vedette/sentinel.state"},
      {"monitor", "NAME IP PORT QUORUM", "", "",
       "A primary to watch. NAME is what clients ask for. QUORUM sentinels must agree that it is down; whatever that number, more than "
       "half of all known sentinels must elect who performs a failover. 2 of 3 bears the loss of any one host. Replicas and the other "
       "sentinels are found by themselves.",
       "main 10.0.0.1 6379 2"},
      {"down-after-milliseconds", "NAME MS", "milliseconds", "30000",
       "How long a node may leave pings without a valid answer before it counts as down. Longer than the longest pause that a healthy "
       "server makes (a slow command, a frozen virtual machine); 5 seconds are a good start in one data centre. It is also the time in "
       "which a silent failure, a dead host or a cut cable, is noticed.",
       "main 5000"},
      {"fast-evidence", "NAME yes|no", "", "no",
       "Let connections that the primary's host refuses count as its end at once, without waiting for "
       "down-after-milliseconds: where the host answers that nobody listens, the process is gone, and nothing is gained by waiting. The "
       "quorum still decides. On in this example; off by default, so that a configuration means here what it means to the protocol's own "
       "sentinel. Leave it off where primaries are restarted in place and should stay primaries.",
       "main yes"},
      {"failover-timeout", "NAME MS", "milliseconds", "180000",
       "How long a failover may make no progress before it is given up, and half the time before the next attempt for the same primary. A "
       "minute is much for a promotion, and little for a replica that has to copy a large dataset; that one merely catches up without "
       "being watched.",
       "main 60000"},
      {"parallel-syncs", "NAME N", "replicas", "1",
       "Replicas that follow the new primary at the same time after a failover. While a replica copies the dataset it cannot serve reads: "
       "1 keeps the others readable.",
       "main 1"},
      {"lease-milliseconds", "NAME MS", "milliseconds", "0 (no lease)",
       "A time for which the sentinels promise a primary that nobody else will be promoted, and renew. A primary that is cut off from the "
       "majority of them refuses writes when the time is over, and no other is promoted before: no write is lost to a second primary. The "
       "price: the servers must be Vedette's, a failover takes up to this time longer, and a primary refuses writes while no majority of "
       "sentinels reaches it. Good values are 2000 to 10000, more than three round trips and the longest pause of a server. Off unless "
       "lost writes are worse than refused ones.",
       ""},
      {"primary-reboot-down-after-period", "NAME MS", "milliseconds", "0 (not at all)",
       "How long a primary that has restarted (and perhaps come back empty) counts as down even though it answers, so that a replica with "
       "the data takes over.",
       ""},
      {"forget-after-seconds", "NAME S", "seconds", "0 (never)",
       "Forget replicas and sentinels that have been gone this long and that nobody tells of any more. A forgotten sentinel no longer "
       "counts for the majority: only as long as no host is ever away for that time and comes back.",
       ""},
      {"auth-pass", "NAME PASSWORD", "", "none",
       "The password of the primary and its replicas (their requirepass), which must be the same for all.", ""},
      {"auth-user", "NAME USER", "", "none", "The user to which that password belongs, where the servers have users.", ""},
      {"notification-script", "NAME PATH", "", "none",
       "A program that is run for each event of the level warning, with the event's type and its text as arguments. It may take 60 "
       "seconds; if it ends with 1 it is run again, up to 10 times.",
       ""},
      {"client-reconfig-script", "NAME PATH", "", "none",
       "A program that is run when the primary has changed, with: name, leader or observer, start, and host and port of the old and of "
       "the new primary.",
       ""},
      {"rename-command", "NAME COMMAND NEW", "", "none", "How the servers call a command that they have renamed.", ""},
      {"deny-scripts-reconfig", "yes|no", "", "yes",
       "Refuse SENTINEL SET of the two scripts: who may talk to a sentinel could otherwise run programs on this host.", "yes"},
      {"zone", "LABEL", "", "none",
       "Where this sentinel is. Among replicas that are equally good, one whose replica-zone says the same is promoted.", ""},
      {"resolve-hostnames", "yes|no", "", "no",
       "Accept names in place of addresses. Look-ups never block the sentinel; but who answers them then decides where the primary is.",
       "no"},
      {"announce-hostnames", "yes|no", "", "no", "Tell clients and other sentinels names where names are known.", "no"},
      {"announce-ip", "IP", "", "the address of each connection",
       "The address under which the other sentinels reach this one, behind NAT or in a container.", ""},
      {"announce-port", "PORT", "", "port, or tls-port with tls-replication", "The port that belongs to it.", ""},
      {"sentinel-user", "USER", "", "none", "The user with which this sentinel logs in to the others.", ""},
      {"sentinel-pass", "PASSWORD", "", "requirepass", "The password that belongs to it.", ""},
      {"myid", "ID", "", "made at the first start",
       "40 hexadecimal digits that name this sentinel. Never copy it to another host: two sentinels of one name are one voter.", "", true},
      {"current-epoch", "N", "", "0", "The last election this sentinel knows of.", "", true},
      {"config-epoch", "NAME N", "", "0", "The election that has made the primary's configuration.", "", true},
      {"leader-epoch", "NAME N", "", "0", "The last election in which this sentinel has voted.", "", true},
      {"known-replica", "NAME IP PORT", "", "", "A replica that was found.", "", true},
      {"known-sentinel", "NAME IP PORT ID", "", "", "Another sentinel that was found.", "", true},
  };
  return kDocs;
}

std::string documented_configuration() {
  std::string text = comment(
      "sentinel.conf: one of three sentinels on three hosts, 10.0.0.1 to 10.0.0.3, which watch the primary 'main' on the first of them. "
      "The same file serves on all three.");
  text += comment(
      "Below the directives of the sentinel, every option of the program with its default. A line is an option and its values; a '#' at "
      "the "
      "beginning makes a comment. The order of the lines does not matter.");
  text += heading("What is watched") + directives_text(false);
  text += heading("What the program writes (here, or into the state file); nothing to edit") + directives_text(true);
  SentinelOptions options;
  std::vector<OptionGroup> groups = sentinel_option_groups(options);
  groups.pop_back();  // what is only accepted has nothing to show
  return text + ConfigRegistry(std::move(groups)).documentation("");
}

}  // namespace vedette::sentinel
