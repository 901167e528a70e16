// Runs a Go program inside a Worker. One program serves all the requests of an isolate.
//
// A Worker's I/O belongs to the request that began it: a promise, a stream or a timer
// of one must not be touched while another runs. Go's scheduler knows nothing of that:
// when one request wakes the program, goroutines of others may run too. So everything
// that a goroutine wants of JavaScript is posted to the request it belongs to (see
// Invocation.run), and timers move on to another request when theirs ends.
import { query, isD1, bookmarkHeader } from "./d1.mjs";
import { isKV, operations as kvOperations } from "./kv.mjs";

// Invocation is one event that the Worker handles: a request.
class Invocation {
  constructor(program, env, ctx, request) {
    this.program = program;
    this.env = env;
    this.ctx = ctx;
    this.request = request;
    this.work = [];
    this.wake = () => {};
    this.pending = 1; // what keeps it going: the handler, and what it has told to wait for
    this.response = new Promise((resolve, reject) => {
      this.respond = resolve;
      this.fail = reject;
    });
    this.response.catch(() => {});
  }

  // run does some work as part of this invocation: at once if it is the one that runs,
  // or else when its pump gets to it.
  run(work) {
    if (this.program.current === this) {
      work();
      return;
    }
    this.work.push(work);
    this.wake();
  }

  // pump does posted work until the invocation has ended. The interval says to the
  // runtime that something may still come.
  async pump() {
    const alive = setInterval(() => {}, 20_000);
    for (;;) {
      for (let work; (work = this.work.shift()); ) work();
      if (this.pending === 0) break;
      await new Promise((resolve) => (this.wake = resolve));
    }
    clearInterval(alive);
    this.program.leave(this);
  }

  release() {
    this.pending--;
    this.wake();
  }
}

// Program is a running Go program.
class Program {
  constructor(module, env) {
    this.module = module;
    this.env = env;
    this.current = null; // the invocation that runs
    this.live = new Set();
    this.timers = new Map();
    this.nextTimer = 1;
    this.dead = false;
    this.ready = new Promise((resolve) => (this.serving = resolve));
  }

  start() {
    const go = (this.go = new globalThis.Go());
    go.argv = this.argv ?? ["worker"];
    go.env = this.environ ?? {};
    go.exit = (code) => {
      this.code = code;
      this.end(`the program has ended with code ${code}`);
    };
    this.bindCallbacks(go);
    this.moveTimers(go);
    globalThis.skylite = this;
    const instance = new WebAssembly.Instance(this.module, go.importObject);
    this.exited = go.run(instance).catch((error) => this.end(`the program has failed: ${error?.stack ?? error}`));
    return this.ready;
  }

  end(reason) {
    if (this.dead) return;
    this.dead = true;
    this.reason = reason;
    this.serving();
    for (const invocation of this.live) {
      invocation.fail(new Error(reason));
      invocation.pending = 0;
      invocation.wake();
    }
  }

  // enter runs Go as part of an invocation.
  enter(invocation, run) {
    if (this.dead) return undefined;
    const previous = this.current;
    this.current = invocation;
    try {
      return run();
    } catch (error) {
      this.end(`the program has failed: ${error?.stack ?? error}`);
    } finally {
      this.current = previous;
    }
  }

  // bindCallbacks makes a Go function that was made for an invocation run as part of it.
  bindCallbacks(go) {
    const make = go._makeFuncWrapper.bind(go);
    go._makeFuncWrapper = (id) => {
      const program = this;
      const owner = this.current;
      const call = make(id);
      return function bound(...args) {
        if (bound.free || owner === null) return call.apply(this, args);
        return program.enter(owner, () => call.apply(this, args));
      };
    };
  }

  // moveTimers gives Go timers that outlive the request that set them.
  moveTimers(go) {
    const calls = go.importObject.gojs;
    calls["runtime.scheduleTimeoutEvent"] = (sp) => {
      sp >>>= 0;
      const delay = go.mem.getUint32(sp + 8, true) + go.mem.getInt32(sp + 12, true) * 4294967296;
      const timer = { id: this.nextTimer++, at: Date.now() + delay, resume: () => go._resume() };
      this.timers.set(timer.id, timer);
      this.arm(timer, this.current);
      go.mem.setInt32(sp + 16, timer.id, true);
    };
    calls["runtime.clearTimeoutEvent"] = (sp) => {
      sp >>>= 0;
      const timer = this.timers.get(go.mem.getInt32(sp + 8, true));
      this.timers.delete(timer?.id);
      timer?.host?.run(() => clearTimeout(timer.handle));
    };
  }

  arm(timer, host) {
    timer.host = host ?? this.anyLive();
    timer.host?.run(() => {
      if (this.timers.get(timer.id) !== timer) return;
      timer.handle = setTimeout(() => this.fire(timer), Math.max(0, timer.at - Date.now()));
    });
  }

  fire(timer) {
    if (this.timers.get(timer.id) !== timer) return;
    this.enter(timer.host, timer.resume);
    // Go takes the timer away, unless its clock says that it is not time yet.
    if (this.timers.get(timer.id) === timer) {
      timer.at = Date.now() + 1;
      this.arm(timer, timer.host);
    }
  }

  anyLive() {
    for (const invocation of this.live) return invocation;
    return null;
  }

  // leave ends an invocation. Its timers go on in another one.
  leave(invocation) {
    this.live.delete(invocation);
    for (const timer of this.timers.values()) {
      if (timer.host === invocation) {
        clearTimeout(timer.handle);
        this.arm(timer, null);
      }
    }
  }

  // begin adds an invocation, and takes on timers that nobody has.
  begin(env, ctx, request) {
    const invocation = new Invocation(this, env, ctx, request);
    this.live.add(invocation);
    ctx.waitUntil(invocation.pump());
    for (const timer of this.timers.values()) {
      if (!timer.host) this.enterless(invocation, () => this.arm(timer, invocation));
    }
    return invocation;
  }

  enterless(invocation, run) {
    const previous = this.current;
    this.current = invocation;
    run();
    this.current = previous;
  }

  // What follows is for the Go side.

  // listen takes the functions that serve a request and that get the outcome of a call.
  free(callback) {
    callback.free = true;
    return callback;
  }

  settler(settle) {
    this.settle = this.free(settle);
  }

  handler(handle) {
    this.handle = this.free(handle);
    this.serving();
  }

  // call runs an operation for an invocation, or for the one that runs, and tells Go of
  // its outcome by the call's number.
  call(id, invocation, name, ...args) {
    const owner = invocation ?? this.current ?? this.anyLive();
    if (!owner) return false;
    owner.run(() => {
      let outcome;
      try {
        outcome = Promise.resolve(operations[name](owner, ...args));
      } catch (error) {
        outcome = Promise.reject(error);
      }
      outcome.then(
        (value) => this.enter(owner, () => this.settle(id, true, value)),
        (error) => this.enter(owner, () => this.settle(id, false, String(error?.message ?? error))),
      );
    });
    return true;
  }

  // strings are the variables and secrets: name, value, name, value…
  strings() {
    return Object.entries(this.env).filter(([, value]) => typeof value === "string").flat();
  }

  // stats say what the program holds, in numbers.
  stats() {
    return JSON.stringify({
      invocations: this.live.size,
      timers: this.timers.size,
      values: this.go._values.length - this.go._idPool.length,
      memory: this.go._inst.exports.mem.buffer.byteLength,
    });
  }

  binding(name) {
    return Object.hasOwn(this.env, name) ? this.env[name] : undefined;
  }

  kindOf(binding) {
    if (binding === undefined) return "absent";
    if (isD1(binding)) return "D1";
    if (isKV(binding)) return "KV";
    return typeof binding === "object" ? (binding?.constructor?.name ?? "object") : typeof binding;
  }
}

// operations are what Go may ask for. Each runs as part of the invocation it is for.
const operations = {
  ...kvOperations,
  // read gives the next piece of the request's body, or null at its end.
  async read(invocation) {
    invocation.reader ??= invocation.request.body.getReader();
    const { value, done } = await invocation.reader.read();
    return done ? null : value;
  },
  // respond sends a whole response; a body that is null is none.
  respond(invocation, status, headers, body) {
    invocation.respond(new Response(noBody(status) ? null : body, { status, headers: headersOf(headers) }));
  },
  // stream begins a response whose body comes piece by piece.
  stream(invocation, status, headers) {
    const { readable, writable } = new IdentityTransformStream();
    invocation.writer = writable.getWriter();
    invocation.respond(new Response(readable, { status, headers: headersOf(headers) }));
  },
  write: (invocation, piece) => invocation.writer.write(piece),
  close: (invocation) => invocation.writer.close(),
  abort: (invocation, reason) => invocation.writer.abort(new Error(reason)),
  hold(invocation) {
    invocation.pending++;
  },
  release: (invocation) => invocation.release(),
  // d1 runs statements; see query.
  async d1(_, db, bookmark, body) {
    const response = await query(db, bookmark, body);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bookmark: response.headers.get(bookmarkHeader) ?? "", bytes };
  },
};

function noBody(status) {
  return status === 101 || status === 204 || status === 205 || status === 304;
}

// headersOf reads name, value, name, value… from lines.
function headersOf(lines) {
  const headers = new Headers();
  const parts = lines === "" ? [] : lines.split("\n");
  for (let i = 0; i + 1 < parts.length; i += 2) headers.append(parts[i], parts[i + 1]);
  return headers;
}

// logLines sends what the program prints to the Worker's log, line by line.
function logLines() {
  const decoder = new TextDecoder();
  const open = { 1: "", 2: "" };
  globalThis.fs.writeSync = (fd, bytes) => {
    const lines = (open[fd] + decoder.decode(bytes)).split("\n");
    open[fd] = lines.pop();
    if (lines.length > 0) (fd === 2 ? console.error : console.log)(lines.join("\n"));
    return bytes.length;
  };
}

// serve makes a Worker's handlers out of a Go program. It is started by the first
// request, and again by the next one after it has ended.
export function serve(module) {
  let program = null;
  logLines();
  return {
    async fetch(request, env, ctx) {
      if (program === null || program.dead) program = new Program(module, env);
      const mine = program;
      const invocation = mine.begin(env, ctx, request);
      try {
        mine.started ??= mine.enter(invocation, () => mine.start());
        await mine.ready;
        if (mine.dead) throw new Error(mine.reason);
        const { method, url, headers, body, cf } = request;
        const lines = [...headers].flat().join("\n");
        mine.enter(invocation, () => mine.handle(invocation, method, url, lines, body !== null, cf && JSON.stringify(cf)));
        return await invocation.response;
      } catch (error) {
        console.error(`skylite: ${error?.message ?? error}`);
        invocation.pending = 0;
        invocation.wake();
        return new Response("Internal Server Error\n", { status: 500 });
      }
    },
  };
}

// runTest runs a program to its end, for tests, and returns its exit code.
export async function runToEnd(module, env, ctx, { argv, environ }) {
  const program = new Program(module, env);
  program.argv = argv;
  program.environ = environ;
  const invocation = program.begin(env, ctx, null);
  program.enter(invocation, () => program.start());
  await program.exited;
  return { code: program.code ?? 0, reason: program.reason };
}
