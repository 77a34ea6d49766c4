// Effects become bytes, bytes become events.
#include "sentinel/node/node.h"

#include <utility>

#include "common/resp/reply_parser.h"

namespace vedette::sentinel {
namespace {

constexpr int64_t kWriteAgain_ms = 1000;

void append_request(std::string& bytes, const std::vector<std::string>& argv) {
  bytes += "*" + std::to_string(argv.size()) + "\r\n";
  for (const std::string& arg : argv) bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
}

Answer to_answer(Reply& reply) {
  Answer answer;
  switch (reply.type) {
    case Reply::Type::kStatus: answer.type = Answer::Type::kStatus; break;
    case Reply::Type::kError: answer.type = Answer::Type::kError; break;
    case Reply::Type::kBoolean:
    case Reply::Type::kInteger: answer.type = Answer::Type::kInteger; break;
    case Reply::Type::kBulk:
    case Reply::Type::kVerbatim:
    case Reply::Type::kBigNumber: answer.type = Answer::Type::kBulk; break;
    case Reply::Type::kArray:
    case Reply::Type::kSet:
    case Reply::Type::kMap:
    case Reply::Type::kPush: answer.type = Answer::Type::kArray; break;
    default: break;
  }
  answer.text = std::move(reply.text);
  answer.integer = reply.integer;
  for (Reply& element : reply.elements) answer.items.push_back(to_answer(element));
  return answer;
}

// What a peer may send us at most: an INFO of many replicas is the largest.
ReplyLimits peer_limits() {
  ReplyLimits limits;
  limits.bulk_bytes_max = 4 << 20;
  limits.total_bytes_max = 8 << 20;
  limits.values_max = 100000;
  limits.depth_max = 8;
  return limits;
}

}  // namespace

void Node::on_connected(LinkId link, const std::string& local_host, const Now& now) {
  if (!channels_.contains(link)) return;
  monitor_.step(Connected{link, local_host}, now);
  settle(now);
}

void Node::on_closed(const Closed& event, const Now& now) {
  if (!channels_.erase(event.link)) return;
  monitor_.step(event, now);
  settle(now);
}

void Node::on_bytes(LinkId link, std::string_view bytes, const Now& now) {
  while (!bytes.empty()) {
    const auto found = channels_.find(link);
    if (found == channels_.end()) return;  // what came before has made the monitor close it
    Channel& channel = found->second;
    const ReplyParser::Outcome outcome = channel.parser.parse(bytes);
    if (outcome == ReplyParser::Outcome::kMore) break;
    if (outcome == ReplyParser::Outcome::kBroken) {
      const std::string fault(channel.parser.fault());
      outside_.close(link);
      on_closed(Closed{link, "its replies make no sense: " + fault}, now);
      return;
    }
    Reply reply = channel.parser.take();
    if (channel.pubsub) {
      // "message", channel, payload; what confirms the subscriptions only shows that the link is alive.
      const auto& items = reply.elements;
      const bool message = items.size() == 3 && items[0].text == "message";
      monitor_.step(message ? Heard{link, items[1].text, items[2].text} : Heard{link, {}, {}}, now);
    } else {
      if (channel.waiting.empty()) continue;  // nobody asked
      Waiting waiting = std::move(channel.waiting.front());
      channel.waiting.pop_front();
      monitor_.step(Replied{link, waiting.asked, std::move(waiting.group), to_answer(reply)}, now);
    }
    settle(now);
  }
  settle(now);
}

void Node::on_resolved(const std::string& host, const std::string& ip, const Now& now) {
  monitor_.step(Resolved{host, ip}, now);
  settle(now);
}

void Node::on_time(const Now& now) {
  if (now.instant >= retry_at_) {
    retry_at_ = kNever;
    write_if_needed();
  }
  monitor_.step(Tick{}, now);
  settle(now);
}

Instant Node::due() const { return earlier(monitor_.due(), retry_at_); }

void Node::on_state_written(uint64_t version, const Status& outcome, const Now& now) {
  writing_ = 0;
  write_error_ = outcome ? std::string() : outcome.error().text();
  if (!outcome) {
    retry_at_ = after_ms(now.instant, kWriteAgain_ms);
    if (on_write_failed) on_write_failed(version);
    return;
  }
  written_ = version;
  if (on_written) on_written();  // the reply to an order goes before its events
  settle(now);
}

void Node::settle(const Now& now) {
  for (Effect& effect : monitor_.take_effects()) held_.push_back(std::move(effect));
  std::string gathered;
  LinkId to = 0;
  const auto flush = [&] {
    if (!gathered.empty()) outside_.send(to, gathered);
    gathered.clear();
  };
  std::deque<Effect> later;
  for (Effect& effect : held_) {
    const Send* of_link = std::get_if<Send>(&effect.what);
    if (of_link && !channels_.contains(of_link->link)) continue;  // closed while it waited
    if (effect.after > written_) {
      later.push_back(std::move(effect));
      continue;
    }
    if (Send* send = std::get_if<Send>(&effect.what)) {
      const auto channel = channels_.find(send->link);
      if (send->link != to) flush();
      to = send->link;
      append_request(gathered, send->argv);
      if (!channel->second.pubsub) channel->second.waiting.push_back({send->asked, std::move(send->group)});
      continue;
    }
    flush();
    perform(effect, now);
  }
  flush();
  held_ = std::move(later);
  write_if_needed();
}

void Node::perform(const Effect& effect, const Now&) {
  if (const auto* open = std::get_if<OpenLink>(&effect.what)) {
    channels_[open->link] = Channel{ReplyParser(peer_limits()), {}, open->pubsub};
    outside_.open(open->link, open->to);
  } else if (const auto* close = std::get_if<CloseLink>(&effect.what)) {
    if (channels_.erase(close->link)) outside_.close(close->link);
  } else if (const auto* publish = std::get_if<Publish>(&effect.what)) {
    outside_.publish(*publish);
  } else if (const auto* script = std::get_if<RunScript>(&effect.what)) {
    outside_.run_script(*script);
  } else if (const auto* resolve = std::get_if<Resolve>(&effect.what)) {
    outside_.resolve(resolve->host);
  } else {
    outside_.crash();
  }
}

// One write at a time: what changes meanwhile is in the next.
void Node::write_if_needed() {
  if (writing_ || retry_at_ != kNever || monitor_.state_version() <= written_) return;
  writing_ = monitor_.state_version();
  outside_.write_state(writing_, monitor_.state_lines());
}

}  // namespace vedette::sentinel
