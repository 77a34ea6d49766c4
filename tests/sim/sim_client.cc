// One request, its replies, and what to think of them.
#include "tests/sim/sim_client.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "tests/session/reply.h"

namespace vedette::sim {
namespace {

constexpr int64_t kPatienceNs = 4 * kSecond;

}  // namespace

std::string request_text(const std::vector<std::string>& words) {
  std::string bytes = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) bytes += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return bytes;
}

void SimClient::send(int server, Request request) {
  if (server != server_ || !socket_) {
    disconnect();
    server_ = server;
    socket_ = cluster_.network.connect(node_, Cluster::host_of(server), Cluster::port_of(server));
  }
  out_ = request.bytes;
  request_ = std::move(request);
  mark_.reset();
  deadline_ = cluster_.timeline.now() + kPatienceNs;
  poll();
}

void SimClient::disconnect() {
  socket_.reset();
  in_.clear();
  out_.clear();
  request_.reset();
}

void SimClient::check_timeout() {
  if (!request_ || cluster_.timeline.now() < deadline_) return;
  timeouts++;
  cluster_.trace(fmt::format("client {}: {} -> no answer", index_, request_->text));
  disconnect();
}

void SimClient::poll() {
  if (!socket_) return;
  if (!socket_->failure().empty()) return disconnect();
  if (!socket_->connected()) return;
  if (!out_.empty()) {
    const long taken = socket_->write(out_);
    if (taken < 0) return disconnect();
    out_.erase(0, size_t(taken));
  }
  if (socket_->readable()) in_ += socket_->read(65536);
  if (request_) {
    std::string_view rest = in_;
    std::string all;
    bool error = false;
    int replies = 0;
    while (replies < request_->replies) {
      const auto node = testing::take_reply(rest);
      if (!node) break;
      replies++;
      error |= node->kind == testing::ReplyNode::Kind::kError;
      all += " " + testing::to_text(*node);
    }
    if (replies == request_->replies) {
      if (!rest.empty()) cluster_.fail(fmt::format("client {}: more than the answer to {}: {}", index_, request_->text, quoted(in_)));
      in_.clear();
      answers++;
      errors += error;
      cluster_.trace(fmt::format("client {} at {}: {} ->{}", index_, server_, request_->text, all));
      if (request_->kind == Kind::kWrite && !error && mark_) acknowledged.push_back(*mark_);
      request_.reset();
    }
  }
  if (socket_->ended()) disconnect();
}

}  // namespace vedette::sim
