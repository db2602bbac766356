// The page's own words, in the reader's language. What the document says stays as it is.

const WORDS = {
  en: {
    all: "All services", search: "Search operations", signIn: "Sign in", signOut: "Sign out", next: "Continue", cancel: "Cancel",
    signInNote: "“Try it out” then sends your token. It lives in this page only.",
    email: "E-mail address", password: "Password", tenant: "Tenant, if not the default one",
    secondFactor: "Second factor", code: "Code",
    secondFactorNote: "Enter the six digits that your authenticator shows, or a recovery code.",
    passkeyNote: "Continue with your passkey, as your device asks you to.", codeInstead: "Enter a code instead",
    newPassword: "New password",
    newPasswordNote: "Your account has a password that somebody else chose. Choose one of your own to go on.",
    enrol: "Set up a second factor",
    enrolNote: "Your account needs one. Scan the picture with an authenticator app, then enter the code that it shows.",
    qr: "Picture for the authenticator app", secret: "Or type this in:",
    recovery: "Recovery codes",
    recoveryNote: "Keep them in a safe place: each lets you in once without your authenticator. They are not shown again.",
  },
  fr: {
    all: "Tous les services", search: "Rechercher une opération", signIn: "Se connecter", signOut: "Se déconnecter", next: "Continuer", cancel: "Annuler",
    signInNote: "« Try it out » envoie alors votre jeton. Il n’existe que dans cette page.",
    email: "Adresse e-mail", password: "Mot de passe", tenant: "Client (tenant), si ce n’est celui par défaut",
    secondFactor: "Second facteur", code: "Code",
    secondFactorNote: "Saisissez les six chiffres de votre application d’authentification, ou un code de secours.",
    passkeyNote: "Continuez avec votre clé d’accès, comme votre appareil le demande.", codeInstead: "Saisir plutôt un code",
    newPassword: "Nouveau mot de passe",
    newPasswordNote: "Quelqu’un d’autre a choisi le mot de passe de votre compte. Choisissez le vôtre pour continuer.",
    enrol: "Configurer un second facteur",
    enrolNote: "Votre compte en exige un. Scannez l’image avec une application d’authentification, puis saisissez le code affiché.",
    qr: "Image pour l’application d’authentification", secret: "Ou saisissez ceci :",
    recovery: "Codes de secours",
    recoveryNote: "Gardez-les en lieu sûr : chacun permet de se connecter une fois sans l’application. Ils ne seront plus affichés.",
  },
};

const asked = new URLSearchParams(location.search).get("lang");
export const language = (asked || navigator.language || "en").startsWith("fr") ? "fr" : "en";
export const words = WORDS[language];
