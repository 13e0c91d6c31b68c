// Every controller of the page. A controller is found from `data-controller` in a template; its file has the same name.
import { Application } from "../vendor/stimulus-3.2.2.js"
import AnnouncerController from "./controllers/announcer_controller.js"
import AttachmentsController from "./controllers/attachments_controller.js"
import BrakeController from "./controllers/brake_controller.js"
import CertificateController from "./controllers/certificate_controller.js"
import ComposerController from "./controllers/composer_controller.js"
import ConnectionController from "./controllers/connection_controller.js"
import ConnectionStateController from "./controllers/connection_state_controller.js"
import ConversationController from "./controllers/conversation_controller.js"
import CopyController from "./controllers/copy_controller.js"
import DecisionsController from "./controllers/decisions_controller.js"
import DialogsController from "./controllers/dialogs_controller.js"
import DrawerController from "./controllers/drawer_controller.js"
import ElapsedController from "./controllers/elapsed_controller.js"
import MentionsController from "./controllers/mentions_controller.js"
import MenuController from "./controllers/menu_controller.js"
import MessageController from "./controllers/message_controller.js"
import NavigationController from "./controllers/navigation_controller.js"
import OutboxController from "./controllers/outbox_controller.js"
import ParticipantsController from "./controllers/participants_controller.js"
import PendingController from "./controllers/pending_controller.js"
import PersonController from "./controllers/person_controller.js"
import ScrollController from "./controllers/scroll_controller.js"
import SearchController from "./controllers/search_controller.js"
import ShortcutsController from "./controllers/shortcuts_controller.js"
import SidebarController from "./controllers/sidebar_controller.js"
import StartController from "./controllers/start_controller.js"
import TaskController from "./controllers/task_controller.js"
import ThemeController from "./controllers/theme_controller.js"
import ThreadController from "./controllers/thread_controller.js"
import TimeController from "./controllers/time_controller.js"
import ToastsController from "./controllers/toasts_controller.js"
import ViewportController from "./controllers/viewport_controller.js"
import WorkController from "./controllers/work_controller.js"

const application = Application.start()
application.register("announcer", AnnouncerController)
application.register("attachments", AttachmentsController)
application.register("brake", BrakeController)
application.register("certificate", CertificateController)
application.register("composer", ComposerController)
application.register("connection", ConnectionController)
application.register("connection-state", ConnectionStateController)
application.register("conversation", ConversationController)
application.register("copy", CopyController)
application.register("decisions", DecisionsController)
application.register("dialogs", DialogsController)
application.register("drawer", DrawerController)
application.register("elapsed", ElapsedController)
application.register("mentions", MentionsController)
application.register("menu", MenuController)
application.register("message", MessageController)
application.register("navigation", NavigationController)
application.register("outbox", OutboxController)
application.register("participants", ParticipantsController)
application.register("pending", PendingController)
application.register("person", PersonController)
application.register("scroll", ScrollController)
application.register("search", SearchController)
application.register("shortcuts", ShortcutsController)
application.register("sidebar", SidebarController)
application.register("start", StartController)
application.register("task", TaskController)
application.register("theme", ThemeController)
application.register("thread", ThreadController)
application.register("time", TimeController)
application.register("toasts", ToastsController)
application.register("viewport", ViewportController)
application.register("work", WorkController)
