// Sockets, files and options for replication.
#include "server/app/replication_service.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/host/link.h"
#include "server/app/file_spool.h"
#include "server/app/startup.h"
#include "server/execution/executor.h"

namespace vedette {
namespace {

class HostLink final : public OutgoingLink {
 public:
  /// `hint`: what may be wrong where the other side ends it without a word.
  HostLink(Loop& loop, const std::string& host, int port, const std::string& source, const ReplicationSettings& settings,
           unsigned keep_alive, const std::shared_ptr<const TlsContext>& tls, const char* hint, LinkOwner& owner)
      : link_(loop, host, port, source,
              LinkEvents{[this, &owner, no_delay = settings.no_delay, keep_alive](const std::string& failure) {
                           if (failure.empty()) {
                             link_.set_no_delay(no_delay);
                             link_.set_keep_alive(keep_alive);
                           }
                           owner.on_link_connected(failure);
                         },
                         [this, &owner](std::string_view bytes) {
                           heard_ = true;
                           owner.on_link_bytes(bytes);
                         },
                         [&owner] { return owner.wants_link_bytes(); },
                         [this, &owner, plain = !tls, hint](const std::string& reason) {
                           owner.on_link_closed(plain && !heard_ ? reason + hint : reason);
                         }},
              tls) {}
  void send(std::string_view bytes) override { link_.send(bytes); }
  size_t unsent() const override { return link_.unsent(); }
  std::string local_address() const override { return link_.local_address(); }
  void disown() override { link_.disown(); }

 private:
  bool heard_ = false;
  Link link_;
};

}  // namespace

ReplicationService::ReplicationService(Loop& loop, ServerState& state, Executor& executor, ServerOptions& options, const TlsContexts& tls)
    : loop_(loop), state_(state), executor_(executor), options_(options), tls_(tls), replication_(state, executor), deadline_timer_(loop) {
  replication_.on_role_change = [this] { on_role_change(); };
}

void ReplicationService::begin(const std::string& id, int64_t offset, int db) {
  if (!id.empty() && offset >= 0) replication_.resume(id, uint64_t(offset), db);
  replication_.apply_settings();
  if (options_.replication.primary_host.empty()) return;
  replication_.follow(options_.replication.primary_host, options_.replication.primary_port);
}

// What CONFIG REWRITE keeps is the role of the present.
void ReplicationService::on_role_change() {
  const PrimaryLink* link = replication_.link();
  options_.replication.primary_host = link ? link->host() : std::string();
  options_.replication.primary_port = link ? link->port() : 0;
  set_log_role(link ? 'S' : 'M');
  if (Status status = set_oom_score(options_.process, link); !status) log_warning("{}", status.error().text());
}

void ReplicationService::end_turn(const Now& now) {
  replication_.end_turn(now);
  const auto deadline = replication_.next_deadline();
  if (deadline == armed_for_) return;  // nearly always: a timer costs more than a comparison
  armed_for_ = deadline;
  if (!deadline) return deadline_timer_.stop();
  const int64_t left_ms = std::max<int64_t>(0, ms_between(now.instant, *deadline)) + 1;
  deadline_timer_.start(uint64_t(left_ms), 0, [this] {
    armed_for_.reset();
    executor_.start_turn();
    replication_.tick(state_.now);
  });
}

void ReplicationService::stop() { deadline_timer_.stop(); }

std::unique_ptr<OutgoingLink> ReplicationService::connect(LinkUse use, const std::string& host, int port, LinkOwner& owner) {
  const bool replication = use == LinkUse::kReplication;
  const bool tls = replication ? options_.tls.replication : options_.tls.cluster;
  return std::make_unique<HostLink>(loop_, host, port, options_.network.bind_source_addr, state_.settings.replication,
                                    unsigned(options_.network.tcp_keepalive_seconds), tls ? tls_.client() : nullptr,
                                    replication ? ": perhaps it wants TLS (tls-replication)" : ": perhaps it wants TLS (tls-cluster)",
                                    owner);
}

std::unique_ptr<Spool> ReplicationService::open_spool() {
  const std::string& dir = options_.process.dir;
  return std::make_unique<FileSpool>(loop_, fmt::format("{}/temp-sync-{}-{}.rdb", dir, ++spools_, getpid()),
                                     fmt::format("{}/{}", dir, options_.persistence.dbfilename));
}

}  // namespace vedette
