// Sockets, disk and turns of a simulated sentinel.
#include "tests/sim/sim_sentinel.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.h"

namespace vedette::sim {

using namespace sentinel;

namespace {

constexpr int64_t kTurnDelay = 20 * kMicrosecond;

std::string bulk(const std::string& text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

}  // namespace

SimSentinel::SimSentinel(Timeline& timeline, Network& network, SentinelObserver& observer, const Place& place, SentinelDisk& disk,
                         const std::vector<std::string>& directives, uint64_t seed)
    : timeline_(timeline), network_(network), observer_(observer), place_(place), disk_(disk) {
  Rng rng(seed);
  GlobalOptions options;
  options.port = place.port;
  monitor_ = std::make_unique<Monitor>(rng.hex(40), options, rng);
  for (const std::string& line : disk_.lines.empty() ? directives : disk_.lines) {
    const auto words = split_words(line);
    VED_ASSERT(words);
    const Status status = monitor_->configure(*words, now());
    VED_ASSERT(status);
  }
  node_ = std::make_unique<Node>(*monitor_, static_cast<Outside&>(*this));
  network_.set_listening(place_.node, true);
  wake();
}

SimSentinel::~SimSentinel() { *alive_ = false; }

Now SimSentinel::now() const {
  constexpr int64_t kEpochUs = int64_t(1700000000) * 1000000;
  return {Instant{timeline_.now()}, WallTime{kEpochUs + timeline_.now() / 1000 + wall_jump_us_}};
}

void SimSentinel::wake() {
  if (in_turn_ || woken_) return;
  woken_ = true;
  timeline_.plan(std::max(timeline_.now() + kTurnDelay, stopped_until_), [this, alive = alive_] {
    if (!*alive) return;
    woken_ = false;
    if (timeline_.now() < stopped_until_) return wake();
    turn();
  });
}

void SimSentinel::settle() {
  node_->settle(now());
  wake();
}

void SimSentinel::turn() {
  if (crashed_) return;
  in_turn_ = true;
  if (node_->due() <= now().instant || planned_ < 0) node_->on_time(now());
  poll_links();
  poll_clients();
  in_turn_ = false;
  plan_next();
}

void SimSentinel::plan_next() {
  const int64_t due = node_->due().ns;
  if (due == kNever.ns || (planned_ >= timeline_.now() && planned_ <= due)) return;
  planned_ = std::max(due, timeline_.now());
  timeline_.plan(planned_, [this, alive = alive_, at = planned_] {
    if (!*alive) return;
    if (planned_ == at) planned_ = 0;
    wake();
  });
}

void SimSentinel::push_out(Socket& socket, std::string& out) {
  if (out.empty()) return;
  const long taken = socket.write(out);
  out.erase(0, taken < 0 ? out.size() : size_t(taken));
}

void SimSentinel::poll_links() {
  std::vector<LinkId> ids;
  for (const auto& [id, link] : links_) ids.push_back(id);
  for (const LinkId id : ids) {
    auto found = links_.find(id);
    if (found == links_.end()) continue;
    Socket* socket = found->second.socket.get();
    if (!found->second.connected) {
      if (const std::string failure = socket->failure(); !failure.empty()) {
        links_.erase(found);
        node_->on_closed({id, failure, failure == "Connection refused"}, now());
        continue;
      }
      if (!socket->connected()) continue;
      found->second.connected = true;
      node_->on_connected(id, place_.host, now());
      found = links_.find(id);
      if (found == links_.end()) continue;
    }
    push_out(*socket, found->second.out);
    if (!socket->was_reset() && socket->readable()) {
      const std::string bytes = socket->read(65536);
      node_->on_bytes(id, bytes, now());
      found = links_.find(id);
      if (found == links_.end()) continue;
    }
    if (socket->ended()) {
      const bool reset = socket->was_reset();
      links_.erase(found);
      node_->on_closed({id, "ended", false, reset}, now());
    }
  }
  for (auto& [id, link] : links_)
    if (link.connected) push_out(*link.socket, link.out);
}

void SimSentinel::poll_clients() {
  while (auto socket = network_.accept(place_.node)) clients_.push_back(std::make_unique<Incoming>(std::move(socket)));
  for (auto& client : clients_) {
    Socket& socket = *client->socket;
    if (!socket.was_reset() && socket.readable()) {
      const std::string bytes = socket.read(65536);
      std::string_view rest = bytes;
      while (client->parser.parse(rest) == ReplyParser::Outcome::kReply) answer(*client, client->parser.take());
    }
    while (!client->held.empty() && client->held.front().after <= node_->written_version()) {
      const Incoming::Held& next = client->held.front();
      if (!next.voted_for.empty()) observer_.on_vote(*this, "m", next.voted_epoch, next.voted_for);
      client->out += next.reply;
      client->held.pop_front();
    }
    push_out(socket, client->out);
  }
  std::erase_if(clients_, [](const auto& client) { return client->socket->ended(); });
}

// The commands that sentinels send each other.
void SimSentinel::answer(Incoming& client, const Reply& request) {
  std::vector<std::string> argv;
  for (const Reply& word : request.elements) argv.push_back(word.text);
  if (argv.empty()) return;
  Incoming::Held answer{0, "+OK\r\n", {}, 0};
  const std::string name = to_upper(argv[0]);
  if (name == "PING") {
    answer.reply = "+PONG\r\n";
  } else if (name == "INFO") {
    answer.reply = bulk("# Server\r\nvedette_version:0\r\n");
  } else if (name == "PUBLISH" && argv.size() == 3) {
    monitor_->hear_hello(argv[2], now());
    answer.reply = ":1\r\n";
  } else if (name == "SENTINEL" && argv.size() == 6) {
    Address address{argv[2], 0};
    Epoch epoch = 0;
    std::from_chars(argv[3].data(), argv[3].data() + argv[3].size(), address.port);
    std::from_chars(argv[4].data(), argv[4].data() + argv[4].size(), epoch);
    const auto said = monitor_->is_primary_down(address, epoch, argv[5], now());
    if (said.leader != "*") answer.voted_for = said.leader;
    answer.voted_epoch = said.leader_epoch;
    answer.reply = fmt::format("*3\r\n:{}\r\n{}:{}\r\n", int(said.down), bulk(said.leader), said.leader_epoch);
    answer.after = said.after;
  }
  client.held.push_back(std::move(answer));
  node_->settle(now());
}

// ---- Outside ----

void SimSentinel::open(LinkId link, const Address& to) {
  links_[link].socket = network_.connect(place_.node, to.host, to.port);
  wake();
}

void SimSentinel::close(LinkId link) { links_.erase(link); }

void SimSentinel::send(LinkId link, std::string_view bytes) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  found->second.out += bytes;
  if (found->second.connected) push_out(*found->second.socket, found->second.out);
}

void SimSentinel::write_state(uint64_t version, std::vector<std::string> lines) {
  timeline_.plan(timeline_.now() + disk_.write_ns, [this, alive = alive_, version, lines = std::move(lines)] {
    if (!*alive) return;
    disk_.lines = lines;
    node_->on_state_written(version, Status::ok(), now());
    wake();
  });
}

void SimSentinel::publish(const Publish& event) { observer_.on_event(*this, event); }

}  // namespace vedette::sim
