import type { Clock } from "../../../src/evidence/ports/clock.ts";
import type { Application } from "./accounts/application.ts";
import { Tokens } from "./accounts/tokens.ts";
import type { Person, User } from "./accounts/users.ts";
import { EventLog } from "./audit/events.ts";
import { Downloads } from "./items/downloads.ts";
import type { Folder, Item } from "./items/items.ts";
import { withParents } from "./items/items.ts";
import { Sessions } from "./items/sessions.ts";
import { Tree } from "./items/tree.ts";
import { Metadata } from "./governance/metadata.ts";
import { FileRequests } from "./governance/file-requests.ts";
import type { BoxSettings } from "./settings.ts";
import { Collaborations } from "./sharing/collaborations.ts";
import { Links } from "./sharing/link.ts";
import type { Host } from "./http/call.ts";

export const enterpriseId = "812000";
export const otherEnterpriseId = "934000";

/** Everything that the simulated Box remembers. */
export class World {
  readonly users = new Map<string, User>();
  readonly tree = new Tree();
  readonly tokens = new Tokens(this);
  readonly events = new EventLog(() => this.now());
  readonly links = new Links(this);
  readonly sessions = new Sessions(this);
  readonly downloads = new Downloads(this);
  readonly metadata = new Metadata();
  readonly fileRequests = new FileRequests();
  readonly collaborations = new Collaborations(() => this.now(), this.events);
  /** The application's own account. */
  readonly service: User;
  readonly people: { readonly admin: User; readonly officer: User; readonly partner: User };

  readonly settings: BoxSettings;
  readonly clock: Clock;
  readonly app: Application;
  /** Known once the listeners are. */
  readonly origins: Record<Host, string>;

  constructor(
    settings: BoxSettings,
    clock: Clock,
    app: Application,
    origins: Record<Host, string>,
  ) {
    this.settings = settings;
    this.clock = clock;
    this.app = app;
    this.origins = origins;
    const service = `AutomationUser_${app.clientId.slice(0, 8)}@boxdevedition.com`;
    this.service = this.addUser({ name: "Exhibit transfer", login: service, kind: "service" });
    this.people = {
      admin: this.addUser({ name: "Ada Admin", login: "admin@force.example", role: "admin" }),
      officer: this.addUser({ name: "Olu Officer", login: "officer@force.example" }),
      partner: this.addUser({
        name: "Pat Partner",
        login: "partner@council.example",
        kind: "external",
      }),
    };
  }

  now(): Date {
    return this.clock.now();
  }

  addUser(person: Person): User {
    const kind = person.kind ?? "managed";
    const user: User = {
      id: this.tree.nextId(),
      name: person.name,
      login: person.login,
      role: person.role ?? "user",
      kind,
      enterpriseId: kind === "external" ? otherEnterpriseId : enterpriseId,
      createdAt: this.now(),
      root: this.tree.root(() => user, this.now()),
      spaceBytes: person.spaceBytes,
      planFileBytes: person.planFileBytes,
      spaceUsed: 0,
    };
    this.users.set(user.id, user);
    return user;
  }

  userCalled(login: string): User | undefined {
    return [...this.users.values()].find((user) => user.login === login);
  }

  folder(user: User, id: string): Folder | undefined {
    return id === "0" ? user.root : this.tree.folders.get(id);
  }

  isCollaborator(user: User, item: Item): boolean {
    for (const one of withParents(item)) {
      for (const { user: other, accepted } of this.collaborations.on(one)) {
        if (other === user && accepted) return true;
      }
    }
    return false;
  }

  /** Audiences that an assertion may be for: Box's own, and where the simulator listens. */
  tokenAudiences(): string[] {
    return ["https://api.box.com/oauth2/token", `${this.origins.api}/oauth2/token`];
  }
}
