// Sockets, disk and turns of a simulated server.
#include "tests/sim/sim_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "server/commands/families.h"
#include "server/execution/client_limits.h"
#include "server/execution/memory_report.h"
#include "server/execution/pause.h"
#include "server/snapshot/whole_dataset.h"

namespace vedette::sim {
namespace {

constexpr int64_t kSnapshotSliceUs = 150;
constexpr int kDatabases = 3;
constexpr int64_t kDiskNsPerByte = 20;

std::string text_of(const OutputBuffer& output) {
  std::string text;
  output.for_each_piece([&](const char* data, size_t size) {
    text.append(data, size);
    return true;
  });
  return text;
}

}  // namespace

// A connection that somebody made to this server, with its session: what common/host does with a real one.
// Pieces that the socket does not take are kept as views and sent later, as libuv would.
class SimServer::Incoming final : public Session::Transport {
 public:
  Incoming(SimServer& server, std::unique_ptr<Socket> own_socket) : socket(std::move(own_socket)), server_(server) {}

  std::string peer_address() const override { return socket->peer_address(); }
  std::string local_address() const override { return socket->local_address(); }
  int descriptor() const override { return -1; }
  void wake() override {
    if (std::exchange(queued, true)) return;
    server_.pending_.push_back(this);
    server_.wake();
  }
  void flush_early() override {
    if (!session->has(kCloseNow)) flush();
  }

  void flush() {
    while (in_flight_.empty() && !gone) {
      std::string_view pieces[kPiecesMax];
      const size_t count = next_pieces(pieces);
      if (!count) return;
      size_t total = 0;
      for (size_t i = 0; i < count; i++) total += pieces[i].size();
      size_t wrote = 0;
      for (size_t i = 0; i < count && !gone; i++) {
        const long taken = socket->write(pieces[i]);
        gone |= taken < 0;
        if (taken <= 0) break;
        wrote += size_t(taken);
        if (size_t(taken) < pieces[i].size()) break;
      }
      if (gone) return;
      sent(wrote);
      if (wrote < total) start_write();
    }
  }

  /// The socket may take more of what was under way.
  void go_on() {
    if (in_flight_.empty()) return;
    while (!in_flight_.empty()) {
      const long taken = socket->write(in_flight_.front());
      if (taken < 0) {
        gone = true;
        in_flight_.clear();
        break;
      }
      if (taken == 0) return;
      in_flight_.front().remove_prefix(size_t(taken));
      if (in_flight_.front().empty()) in_flight_.erase(in_flight_.begin());
    }
    if (!gone) sent(std::exchange(in_flight_bytes_, 0));
    wake();
  }

  std::unique_ptr<Socket> socket;
  std::unique_ptr<Session> session;
  bool queued = false, gone = false;
  std::optional<WriteMark> mark;  // of what was written and not answered yet
  std::optional<WriteMark> last;  // of what was written last
  uint64_t write_offset_seen = 0;

 private:
  static constexpr size_t kPiecesMax = 32;
  static constexpr size_t kSourceBytesMax = 128 * 1024;

  size_t next_pieces(std::span<std::string_view> pieces) {
    size_t count = 0;
    from_source_ = false;
    if (session->has(kHoldOutput)) return 0;
    session->output.for_each_piece([&](const char* data, size_t size) {
      pieces[count++] = {data, size};
      return count < pieces.size();
    });
    if (count) {
      if (!session->has(kReplicaLink)) {
        std::string text;
        for (size_t i = 0; i < count; i++) text += pieces[i];
        server_.observer_.on_reply(server_, socket->connection(), mark, text);
        mark.reset();
      }
      return count;
    }
    if (!session->source) return 0;
    from_source_ = true;
    return session->source->pieces(pieces, kSourceBytesMax);
  }

  void start_write() {
    std::string_view pieces[kPiecesMax];
    const size_t count = next_pieces(pieces);
    in_flight_.assign(pieces, pieces + count);
    for (const std::string_view piece : in_flight_) in_flight_bytes_ += piece.size();
  }

  void sent(size_t bytes) {
    if (!bytes) return;
    if (from_source_) session->source->consume(bytes);
    else session->output.consume(bytes);
    session->bytes_out += bytes;
  }

  SimServer& server_;
  std::vector<std::string_view> in_flight_;
  size_t in_flight_bytes_ = 0;
  bool from_source_ = false;
};

// A connection that this server makes.
class SimServer::Outgoing final : public OutgoingLink {
 public:
  Outgoing(SimServer& server, const std::string& host, int port, LinkOwner& owner)
      : server_(server), owner_(owner), socket_(server.universe_.network.connect(server.place_.node, host, port)) {
    server_.links_.push_back(this);
  }
  ~Outgoing() override { std::erase(server_.links_, this); }

  void send(std::string_view bytes) override {
    waiting_ += bytes;
    if (connected_) push();
  }
  size_t unsent() const override { return waiting_.size(); }
  void disown() override { disowned_ = true; }

  /// Looks at the socket, once a turn.
  void poll(size_t read_bytes_max) {
    if (disowned_ || over_) return;
    if (!connected_) {
      if (const std::string failure = socket_->failure(); !failure.empty()) {
        over_ = true;
        return owner_.on_link_connected(failure);
      }
      if (!socket_->connected()) return;
      connected_ = true;
      owner_.on_link_connected("");
      if (disowned_) return;
    }
    push();
    if (!socket_->was_reset() && socket_->readable() && owner_.wants_link_bytes()) {
      const std::string bytes = socket_->read(read_bytes_max);
      owner_.on_link_bytes(bytes);
      if (disowned_) return;
    }
    if (socket_->ended()) {
      over_ = true;
      owner_.on_link_closed(socket_->was_reset() ? "connection reset by peer" : "the other end closed the connection");
    }
  }
  /// There is more to be done without waiting.
  bool ready() const { return !disowned_ && !over_ && connected_ && socket_->readable() && owner_.wants_link_bytes(); }

 private:
  void push() {
    if (waiting_.empty()) return;
    const long taken = socket_->write(waiting_);
    waiting_.erase(0, taken < 0 ? waiting_.size() : size_t(taken));
  }

  SimServer& server_;
  LinkOwner& owner_;
  std::unique_ptr<Socket> socket_;
  std::string waiting_;
  bool connected_ = false, disowned_ = false, over_ = false;
};

// A snapshot put aside, on the disk's time.
class SimServer::MemorySpool final : public Spool {
 public:
  explicit MemorySpool(SimServer& server) : server_(server) {}
  ~MemorySpool() override { *alive_ = false; }

  void append(std::string bytes) override {
    unwritten_ += bytes.size();
    bytes_ += bytes;
    server_.after_disk(bytes.size(), [this, size = bytes.size(), alive = alive_] {
      if (*alive) unwritten_ -= size;
    });
  }
  uint64_t unwritten() const override { return unwritten_; }
  void finish(std::function<void(const Status&)> done) override {
    server_.after_disk(0, [done = std::move(done)] { done(Status::ok()); });
  }
  void read(size_t bytes, std::function<void(Result<std::string>)> done) override {
    const size_t size = std::min(bytes, 1 + size_t(server_.rng_.below(bytes)));
    std::string piece = bytes_.substr(std::min(read_at_, bytes_.size()), size);
    read_at_ += piece.size();
    server_.after_disk(piece.size(), [piece = std::move(piece), done = std::move(done)]() mutable { done(std::move(piece)); });
  }
  void keep() override { server_.disk_.snapshot = bytes_; }

 private:
  SimServer& server_;
  std::string bytes_;
  uint64_t unwritten_ = 0;
  size_t read_at_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The snapshot file.
class SimServer::SnapshotKeeper final : public SnapshotStore {
 public:
  explicit SnapshotKeeper(SimServer& server) : server_(server) {}
  ~SnapshotKeeper() override { cancel(); }

  Status save() override {
    BlockLog log(4096);
    std::string bytes;
    const auto encoder = make_rdb_encoder(log, rdb_write_options(server_.state_));
    Status status = write_whole_dataset(server_.state_.keyspace, server_.snapshots_.facts(server_.executor_.now()), *encoder, log, [&] {
      log.for_each_piece(log.begin(), [&](const char* data, size_t size) {
        bytes.append(data, size);
        return true;
      });
      log.trim(log.end());
      return Status::ok();
    });
    if (status) server_.disk_.snapshot = std::move(bytes);
    return status;
  }
  void begin() override { background_ = std::make_unique<Background>(server_); }
  void cancel() override { background_.reset(); }
  Status load(DatasetLoader& loader) override {
    if (Status status = loader.feed(server_.disk_.snapshot); !status) return status;
    return loader.finish();
  }

 private:
  class Background final : public SnapshotReader {
   public:
    explicit Background(SimServer& server) : server_(server) { server_.snapshots_.request(*this, SnapshotForm::kRdb); }
    ~Background() override {
      *alive_ = false;
      server_.snapshots_.withdraw(*this);
    }
    void on_snapshot_start(const BlockLog& bytes) override {
      log_ = &bytes;
      server_.persistence_->on_background_start();
    }
    void on_snapshot_bytes() override { pump(); }
    void on_snapshot_end(const Status&) override {
      ended_ = true;
      pump();
    }
    uint64_t snapshot_position() const override { return position_; }

   private:
    void pump() {
      if (busy_) return;
      const uint64_t size = log_->end() - position_;
      if (!size && !ended_) return;
      busy_ = true;
      server_.after_disk(size_t(size), [this, size, alive = alive_] {
        if (!*alive) return;
        busy_ = false;
        std::string piece;
        log_->for_each_piece(position_, [&](const char* data, size_t length) {
          piece.append(data, std::min<size_t>(length, size_t(size) - piece.size()));
          return piece.size() < size;
        });
        bytes_ += piece;
        position_ += size;
        if (size || !ended_) return pump();
        server_.disk_.snapshot = std::move(bytes_);
        SimServer& server = server_;
        server.keeper_->cancel();  // this
        server.persistence_->on_background_end(Status::ok(), server.executor_.now());
      });
    }

    SimServer& server_;
    const BlockLog* log_ = nullptr;
    uint64_t position_ = 0;
    bool busy_ = false, ended_ = false;
    std::string bytes_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  };

  SimServer& server_;
  std::unique_ptr<Background> background_;
};

// --- the process

SimServer::SimServer(const Universe& universe, Observer& observer, const Place& place, Disk& disk, const Settings& settings, uint64_t seed)
    : universe_(universe),
      observer_(observer),
      place_(place),
      disk_(disk),
      rng_(seed),
      state_(kDatabases, HashKey{seed, ~seed}, seed),
      executor_(state_, clock_),
      scripting_(state_, executor_),
      snapshots_(state_),
      cron_(state_, executor_),
      replication_(
          [this]() -> ServerState& {
            state_.actions = this;
            state_.snapshots = &snapshots_;
            return state_;
          }(),
          executor_) {
  clock_.begin(universe.timeline.now());
  keeper_ = std::make_unique<SnapshotKeeper>(*this);
  persistence_ = std::make_unique<Persistence>(state_, *keeper_);
  state_.persistence = persistence_.get();
  state_.replication = &replication_;
  begin(settings);
}

void SimServer::begin(const Settings& settings) {
  pretend_usage({.used = 1 << 20, .resident = 2 << 20});
  state_.settings = settings;
  state_.process.run_id = state_.rng.hex(40);
  state_.process.version = "0.0.0";
  state_.process.port = place_.port;
  state_.process.started = clock_.now().instant;
  state_.process.started_wall = clock_.now().wall;
  add_all_commands(state_.commands);
  executor_.prepare();
  cron_due_ = universe_.timeline.now();
  load_snapshot();
  replication_.apply_settings();
  if (disk_.keeps_role) {
    if (!disk_.primary_host.empty()) replication_.follow(disk_.primary_host, disk_.primary_port);
    replication_.on_role_change = [this] {
      const PrimaryLink* link = replication_.link();
      disk_.primary_host = link ? link->host() : std::string();
      disk_.primary_port = link ? link->port() : 0;
    };
  }
  state_.effect_sinks.push_back(this);
  universe_.network.set_listening(place_.node, true);
  wake();
}

SimServer::~SimServer() {
  *alive_ = false;
  while (!incoming_.empty()) destroy(*incoming_.back());
  keeper_->cancel();
  state_.replication = nullptr;
  persistence_.reset();
  state_.persistence = nullptr;
  posted_.clear();
}

// As the program does at its start.
void SimServer::load_snapshot() {
  if (disk_.snapshot.empty()) return;
  LoadOptions options;
  options.now_ms = clock_.now().wall.ms();
  options.drop_expired = true;
  options.bytes_expected = disk_.snapshot.size();
  DatasetLoader loader(state_, options);
  const Status status = keeper_->load(loader);
  VED_ASSERT(status);
  const LoadedFacts& facts = loader.facts();
  if (!facts.replication_id.empty() && facts.replication_offset >= 0)
    replication_.resume(facts.replication_id, uint64_t(facts.replication_offset), facts.stream_db);
}

void SimServer::settings_changed() {
  clock_.begin(universe_.timeline.now());
  executor_.refresh_now();
  replication_.apply_settings();
  wake();
}

void SimServer::post(std::function<void()> work) {
  posted_.push_back(std::move(work));
  wake();
}

void SimServer::run_elsewhere(std::function<void()> job, std::function<void()> done) {
  job();
  post(std::move(done));
}

std::unique_ptr<OutgoingLink> SimServer::connect(LinkUse, const std::string& host, int port, LinkOwner& owner) {
  return std::make_unique<Outgoing>(*this, host, port, owner);
}

std::unique_ptr<Spool> SimServer::open_spool() { return std::make_unique<MemorySpool>(*this); }

void SimServer::after_disk(size_t bytes, std::function<void()> done) {
  disk_free_at_ = std::max(disk_free_at_, universe_.timeline.now()) + disk_.job_ns + int64_t(bytes) * kDiskNsPerByte;
  universe_.timeline.plan(disk_free_at_, [this, alive = alive_, done = std::move(done)] {
    if (*alive) post(done);
  });
}

// The deletion of an expired key that a command meets goes ahead of the command's own effects: in the middle
// of it the data are those of no point.
void SimServer::on_effects(const EffectBatch& effects) {
  if (state_.call_depth == 0 || &effects == &state_.effects) observer_.on_effects(*this);
}

void SimServer::order(std::vector<std::string> argv, std::function<void(std::string)> done) {
  orders_.push_back(Order{std::move(argv), std::move(done)});
  wake();
}

std::optional<WriteMark> SimServer::last_write(uint64_t connection) const {
  for (const auto& incoming : incoming_)
    if (incoming->socket->connection() == connection) return incoming->last;
  return std::nullopt;
}

// --- turns

void SimServer::wake() {
  const int64_t at = std::max(universe_.timeline.now(), clock_.at()) + turn_delay_ns;
  if (planned_turn_ >= 0 && planned_turn_ <= at) return;
  planned_turn_ = at;
  universe_.timeline.plan(at, [this, at, alive = alive_] {
    if (!*alive || planned_turn_ != at) return;
    planned_turn_ = -1;
    turn();
  });
}

void SimServer::turn() {
  set_log_role(char('0' + place_.index));
  clock_.begin(universe_.timeline.now());
  executor_.start_turn();
  turns_++;
  run_timers();
  run_posted();
  execute_orders();
  flush_pending();
  poll();
  execute();
  flush_pending();
  arena_.clear();
  cron_.between_turns();
  replication_.end_turn(executor_.now());
  if (snapshots_.ready()) snapshots_.run_slice(clock_.now(), kSnapshotSliceUs);
  flush_pending();
  observer_.on_turn_end(*this);
  plan_next();
}

void SimServer::run_timers() {
  state_.active_expire = expires_by_itself;
  if (clock_.at() >= cron_due_) {
    cron_due_ = clock_.at() + kSecond / state_.settings.hz;
    cron_.tick();
  }
  check_pause(state_, executor_, executor_.refresh_now().instant);
  if (const auto deadline = replication_.next_deadline(); deadline && executor_.now().instant > *deadline) {
    executor_.start_turn();
    replication_.tick(state_.now);
  }
}

void SimServer::run_posted() {
  for (const auto& work : std::exchange(posted_, {})) work();
}

// The order in which a loop finds its sockets ready is anybody's guess.
void SimServer::poll() {
  accept();
  const bool links_first = rng_.below(2);
  if (links_first) poll_links();
  std::vector<Incoming*> readers;
  for (const auto& incoming : incoming_) readers.push_back(incoming.get());
  for (Incoming* incoming : readers) {
    incoming->go_on();
    read(*incoming);
  }
  if (!links_first) poll_links();
}

void SimServer::poll_links() {
  for (Outgoing* link : std::vector<Outgoing*>(links_))
    if (std::find(links_.begin(), links_.end(), link) != links_.end()) link->poll(1 + size_t(rng_.below(read_bytes_max)));
}

void SimServer::accept() {
  while (auto socket = universe_.network.accept(place_.node)) {
    auto incoming = std::make_unique<Incoming>(*this, std::move(socket));
    incoming->session = std::make_unique<Session>(state_.clients.next_id(), state_.chunks, executor_.now().instant);
    incoming->session->transport = incoming.get();
    state_.clients.add(*incoming->session);
    incoming_.push_back(std::move(incoming));
  }
}

void SimServer::read(Incoming& incoming) {
  Session& session = *incoming.session;
  if (incoming.socket->ended()) {
    incoming.gone = true;
    return incoming.wake();
  }
  if (!incoming.socket->readable() || !wants_input(state_, session)) return;
  arena_.push_back(incoming.socket->read(1 + size_t(rng_.below(read_bytes_max))));
  const std::string& bytes = arena_.back();
  session.bytes_in += bytes.size();
  if (session.input.empty()) {
    executor_.gather(session, bytes);
  } else {
    session.input.append(bytes.data(), bytes.size());
    executor_.gather(session, {});
  }
  if (session.closing()) incoming.wake();
}

void SimServer::execute() {
  executor_.gather_backlog();
  executor_.execute();
  for (const auto& incoming : incoming_) {
    const Session& session = *incoming->session;
    if (session.write_offset == incoming->write_offset_seen) continue;
    incoming->write_offset_seen = session.write_offset;
    if (session.write_offset == UINT64_MAX) continue;  // no write: those before were lost with their history
    incoming->mark = incoming->last = WriteMark{replication_.history().id, session.write_offset};
  }
}

// One a turn, so that what lies between two of them can be seen.
void SimServer::execute_orders() {
  if (orders_.empty()) return;
  const Order order = std::move(orders_.front());
  orders_.pop_front();
  Session session(state_.clients.next_id(), state_.chunks, executor_.now().instant);
  state_.clients.add(session);
  std::string request = fmt::format("*{}\r\n", order.argv.size());
  for (const std::string& word : order.argv) request += fmt::format("${}\r\n{}\r\n", word.size(), word);
  executor_.gather(session, request);
  executor_.execute();
  const std::string reply = text_of(session.output);
  executor_.forget(session);
  state_.clients.remove(session);
  if (order.done) order.done(reply);
}

void SimServer::flush_pending() {
  while (!pending_.empty())
    for (Incoming* incoming : std::exchange(pending_, {})) {
      incoming->queued = false;
      flush(*incoming);
    }
}

void SimServer::flush(Incoming& incoming) {
  Session& session = *incoming.session;
  if (!session.has(kCloseNow)) incoming.flush();
  if ((!session.output.empty() || session.source) && !incoming.gone) check_output(state_, session);
  if (incoming.gone || session.has(kCloseNow) || (session.has(kCloseAfterReply) && session.output.empty())) destroy(incoming);
}

void SimServer::destroy(Incoming& incoming) {
  executor_.forget(*incoming.session);
  state_.clients.remove(*incoming.session);
  std::erase(pending_, &incoming);
  std::erase_if(incoming_, [&](const auto& one) { return one.get() == &incoming; });
}

// When to look again without being woken by anything from outside.
void SimServer::plan_next() {
  const bool busy = executor_.has_backlog() || cron_.busy() || snapshots_.ready() || !posted_.empty() || !pending_.empty() ||
                    !orders_.empty();
  bool readable = std::any_of(links_.begin(), links_.end(), [](const Outgoing* link) { return link->ready(); });
  for (const auto& incoming : incoming_) readable |= incoming->socket->readable() && wants_input(state_, *incoming->session);
  if (busy || readable) return wake();
  int64_t at = cron_due_;
  if (const auto deadline = replication_.next_deadline()) at = std::min(at, deadline->ns + 1000);
  if (state_.conditions() & kPausedClients && state_.pause.until() > executor_.now().instant) at = std::min(at, state_.pause.until().ns);
  plan_wake(at);
}

void SimServer::plan_wake(int64_t at) {
  if (planned_wake_ > universe_.timeline.now() && planned_wake_ <= at) return;
  planned_wake_ = at;
  universe_.timeline.plan(at, [this, alive = alive_] {
    if (*alive) wake();
  });
}

}  // namespace vedette::sim
