// The server: found, started with what the user set, and started anew when that changes.
import { createInterface } from "node:readline";
import * as vscode from "vscode";
import {
  type Disposable,
  type ExecuteCommandParams,
  ExecuteCommandRequest,
  type FeatureState,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
  TextDocumentContentRequest,
} from "vscode-languageclient/node";
import { type ActionCommand, available } from "./actions.ts";
import { isOlder, locate, runs } from "./locate.ts";
import { passedOn } from "./log.ts";
import { EXPLANATION_SCHEME, type Proposal, type Status, type StreamPart } from "./protocol.ts";
import { answer, type ConfigurationSection, lacks, type ServerSettings, serverSettings } from "./settings.ts";

/** What the server says by itself. */
export interface Listener {
  stream(part: StreamPart): void;
  status(status: Status): void;
  proposal(proposal: Proposal): void;
  /** Shows an explanation; whether it could. */
  show(uri: vscode.Uri): Promise<boolean>;
  /** It began to serve, or ceased to: what runs is gone then. */
  running(is: boolean): Promise<void>;
  /** One of the server's commands is to be executed, out of a menu of VS Code's. */
  command(command: string, argument: unknown): Promise<unknown>;
  /** What the server reports of a job; the client library would show it in the status bar, without a way to cancel it. */
  progress(job: string, value: { kind: string; title?: string; message?: string }): void;
}

/** Settings of the extension's own that the server is started with. */
const STARTED_WITH = [
  "aside.server",
  "aside.api",
  "aside.budget",
  "aside.prices",
  "aside.privacy.redact",
  "aside.parameters.userId",
  "aside.parameters.serviceTier",
];

export class Server implements vscode.Disposable {
  readonly #context: vscode.ExtensionContext;
  readonly #listener: Listener;
  readonly #log: vscode.LogOutputChannel;
  /** When the extension was activated, less what its code took to load: what VS Code does in between is not its own. */
  readonly #began: number;
  readonly #disposables: vscode.Disposable[] = [];
  #client: LanguageClient | undefined;
  #program: string | undefined;
  /** What of the settings it was told at its start. */
  #initial: Record<string, unknown> = {};
  #offered = false;
  /** The key that was found, for the server that is started next. */
  #found: string | undefined;
  /** Starts and stops one after the other, however fast the user changes settings. */
  #turn: Promise<void> = Promise.resolve();
  /** Since the window's first server was started: whether there is a key is being found out, or was. */
  #looking: Promise<void> | undefined;

  /** `loading` is how many milliseconds the extension's code took to load. */
  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, loading: number, listener: Listener) {
    this.#began = performance.now() - loading;
    this.#context = context;
    this.#listener = listener;
    this.#log = log;
    this.#disposables.push(
      vscode.workspace.onDidChangeConfiguration(event => {
        if (!event.affectsConfiguration("aside")) return;
        const isTold = STARTED_WITH.some(section => event.affectsConfiguration(section));
        // What it was told at the start it can't be made to forget.
        if (isTold || lacks(this.#settings().editor, this.#initial)) void this.restart();
        // It asks for the settings then.
        else void this.#client?.sendNotification("workspace/didChangeConfiguration", { settings: null });
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(
        () => void this.#client?.sendNotification("workspace/didChangeConfiguration", { settings: null }),
      ),
    );
  }

  /** The client, while the server runs. */
  get client(): LanguageClient | undefined {
    return this.#client?.state === State.Running ? this.#client : undefined;
  }

  /** The program that serves. */
  get program(): string | undefined {
    return this.#program;
  }

  /** The actions that the server offers. */
  get actions(): ActionCommand[] {
    const provider = this.client?.initializeResult?.capabilities.codeActionProvider;
    return available(typeof provider === "object" ? (provider.codeActionKinds ?? []) : []);
  }

  /** Whether the server has a command. */
  has(command: string): boolean {
    return this.client?.initializeResult?.capabilities.executeCommandProvider?.commands.includes(command) ?? false;
  }

  /** Executes one of the server's commands. An error has a message for the user. */
  async execute<T>(command: string, argument: object): Promise<T> {
    await this.started();
    const client = this.client;
    if (client === undefined) throw new Error(NOT_RUNNING);
    const params: ExecuteCommandParams = { command, arguments: [argument] };
    return (await client.sendRequest(ExecuteCommandRequest.type, params)) as T;
  }

  /** The text of a document that only the server has. */
  async read(uri: vscode.Uri): Promise<string> {
    // It may be asked for while the window opens.
    await this.started();
    const client = this.client;
    if (client === undefined) throw new Error(NOT_RUNNING);
    const { text } = await client.sendRequest(TextDocumentContentRequest.type, { uri: uri.toString() });
    return text;
  }

  /** The environment that the server and its program's other commands run in. */
  async environment(): Promise<NodeJS.ProcessEnv> {
    const own = vscode.workspace.getConfiguration("aside.server").get<Record<string, string>>("environment", {});
    // The whole: for a program, unlike for a module, the client library adds nothing to it.
    const environment: NodeJS.ProcessEnv = { ...process.env, ...own };
    const { trusted } = this.#settings();
    if (Object.keys(trusted).length > 0) environment.ASIDE_SETTINGS = JSON.stringify(trusted);
    const key = await this.#key();
    if (key) environment.ANTHROPIC_API_KEY = key;
    return environment;
  }

  /**
   * The stored key. While a window opens, asking for it takes longer than all else. So the window's first server is not kept
   * waiting: it can say what it offers, and what asks for more waits until it is known whether there is a key.
   */
  async #key(): Promise<string | undefined> {
    if (this.#looking === undefined) {
      this.#looking = this.#lookForKey();
      return undefined;
    }
    const found = this.#found;
    this.#found = undefined;
    return found ?? (await this.#stored());
  }

  /** If there is a key, another server takes the first one's place; nothing was asked of that. */
  async #lookForKey(): Promise<void> {
    this.#found = await this.#stored();
    if (this.#found !== undefined) await this.#inTurn({ silently: true });
  }

  /** The key out of the storage. Not every machine has one that can be read, and the environment may have a key. */
  async #stored(): Promise<string | undefined> {
    try {
      return await this.#context.secrets.get(KEY);
    } catch (error) {
      this.#log.warn(`The secret storage can't be read: ${String(error)}`);
      return undefined;
    }
  }

  /** Starts the server, or starts it anew. Says so when it can't. */
  restart(): Promise<void> {
    return this.#inTurn({ silently: false });
  }

  #inTurn({ silently }: { silently: boolean }): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      await this.#stop(silently);
      await this.#start();
    });
    return this.#turn;
  }

  /** When the server runs with all that it should know, or when it is clear that it does not. */
  async started(): Promise<void> {
    await this.#turn;
    await this.#looking;
  }

  async #start(): Promise<void> {
    const setting = vscode.workspace.getConfiguration("aside.server").get<string | null>("path");
    const { extensionPath } = this.#context;
    const { env, platform } = process;
    const [located, environment] = await Promise.all([
      locate({ setting, extension: extensionPath, environment: env, platform, runs }),
      this.environment(),
    ]);
    if ("missing" in located) {
      const looked = located.missing === "setting" ? located.looked : undefined;
      this.#log.error(looked ? `There is no program at ${looked}.` : "There is no `aside` program.");
      void missing(looked);
      return;
    }
    this.#program = located.program;
    this.#log.info(`Starting ${located.program} (${located.from}).`);
    const args = ["serve"];
    if (vscode.workspace.getConfiguration("aside.server").get<boolean>("simulate", false)) args.push("--simulate");
    const executable = { command: located.program, args, options: { env: environment } };
    this.#initial = this.#settings().editor;
    let served = false;
    const client = new LanguageClient("aside", "Aside", executable, this.#options());
    client.registerFeature(new Announcement());
    client.onNotification("aside/stream", (part: StreamPart) => this.#listener.stream(part));
    client.onNotification("aside/status", (status: Status) => this.#listener.status(status));
    client.onNotification("aside/proposal", (proposal: Proposal) => this.#listener.proposal(proposal));
    client.onDidChangeState(({ newState }) => {
      // Its first start is told below; after a crash the library starts it anew by itself.
      if (client !== this.#client) return;
      if (newState === State.Stopped) void this.#listener.running(false);
      if (newState === State.Running && served) void this.#listener.running(true);
    });
    this.#client = client;
    try {
      await client.start();
    } catch (error) {
      this.#log.error(`The server did not start: ${String(error)}`);
      void broken(located.program, this.#log);
      return;
    }
    served = true;
    void this.#listener.running(true);
    this.#log.info(`Serving ${this.#sinceStart()} ms after the extension was started.`);
    const version = client.initializeResult?.serverInfo?.version ?? "";
    const own = String(this.#context.extension.packageJSON.version);
    if (isOlder(version, own)) void outdated(located.program, version, own);
  }

  #sinceStart(): number {
    return Math.round(performance.now() - this.#began);
  }

  /** Ends the server. Where another one follows at once and nothing was asked of it, nobody needs to hear of it. */
  async #stop(silently = false): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    if (!silently) await this.#listener.running(false);
    try {
      await client.dispose();
    } catch (error) {
      this.#log.warn(`The server did not stop by itself: ${String(error)}`);
    }
  }

  #options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
      outputChannel: this.#log,
      stdioOptions: {
        // Frames of the protocol, and nothing else.
        stdout: () => {},
        stderr: (input, log) => void createInterface({ input }).on("line", passedOn(log)),
      },
      // So that they hold for the first action too, however soon it comes.
      initializationOptions: this.#initial,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      // What is wrong is said here, with a way out.
      initializationFailedHandler: () => false,
      middleware: {
        provideCodeActions: async (document, range, context, token, next) => {
          const actions = await next(document, range, context, token);
          if (!this.#offered) {
            this.#offered = true;
            this.#log.info(`Offering actions ${this.#sinceStart()} ms after the extension was started.`);
          }
          return actions;
        },
        executeCommand: (command, [argument]) => this.#listener.command(command, argument),
        handleWorkDoneProgress: (token, value, next) => {
          const job = typeof token === "string" ? token.replace(/^aside-/, "") : "";
          this.#listener.progress(job, value);
          if (value.kind === "end") next(token, value);
        },
        window: {
          showDocument: async (params, token, next) => {
            const uri = vscode.Uri.parse(params.uri);
            if (uri.scheme !== EXPLANATION_SCHEME) return await next(params, token);
            return { success: await this.#listener.show(uri) };
          },
        },
        workspace: {
          configuration: params =>
            params.items.map(item => (item.section === "aside" ? answer(this.#settings().editor) : null)),
        },
      },
    };
  }

  #settings(): ServerSettings {
    const { configuration } = this.#context.extension.packageJSON.contributes as {
      configuration: ConfigurationSection[];
    };
    const settings = vscode.workspace.getConfiguration();
    return serverSettings(configuration, key => settings.inspect(key));
  }

  async dispose(): Promise<void> {
    vscode.Disposable.from(...this.#disposables).dispose();
    await this.#turn;
    await this.#stop();
  }
}

export const NOT_RUNNING = "Aside: its server is not running. *Aside: Show Log* tells why.";

/** The key's name in the secret storage. */
export const KEY = "anthropicApiKey";

/** Announces what this client shows by itself. */
class Announcement implements StaticFeature, Disposable {
  fillClientCapabilities(capabilities: { experimental?: unknown }): void {
    capabilities.experimental = {
      ...(capabilities.experimental as object | undefined),
      aside: { stream: true, status: true, preview: true, prompt: true },
    };
  }
  initialize(): void {}
  getState(): FeatureState {
    return { kind: "static" };
  }
  clear(): void {}
  dispose(): void {}
}

const HELP = "How to Install";
const CHOOSE = "Choose Program…";
const LOG = "Show Log";

async function missing(looked: string | undefined): Promise<void> {
  const message = looked
    ? `Aside: there is no program at ${looked}, where the setting aside.server.path says it is.`
    : "Aside: its server was not found, neither with this extension nor on the PATH.";
  const chosen = await vscode.window.showWarningMessage(message, CHOOSE, HELP);
  await follow(chosen);
}

async function broken(program: string, log: vscode.LogOutputChannel): Promise<void> {
  const message = `Aside: its server, ${program}, did not start.`;
  const chosen = await vscode.window.showErrorMessage(message, LOG, CHOOSE);
  if (chosen === LOG) log.show();
  else await follow(chosen);
}

async function outdated(program: string, version: string, wanted: string): Promise<void> {
  const message = `Aside: its server, ${program}, is version ${version}; this extension was made for ${wanted}.`;
  await follow(await vscode.window.showWarningMessage(message, HELP, CHOOSE));
}

async function follow(chosen: string | undefined): Promise<void> {
  if (chosen === CHOOSE) await vscode.commands.executeCommand("aside.chooseServer");
  if (chosen === HELP) await vscode.commands.executeCommand("extension.open", "aside.aside");
}
