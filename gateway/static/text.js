// The page's own words, in the reader's language. What the document says stays as it is.

const WORDS = {
  en: {
    all: "All services", search: "Search operations", token: "Access token",
    tokenNote: "Sent with “Try it”. Kept in this tab only. Sign in at POST /api/auth/login.",
    parameters: "Parameters", body: "Request body", answers: "Answers", errors: "Errors",
    required: "required", needs: "Needs", public: "No token needed", signedIn: "Any signed-in user",
    example: "Example", tryIt: "Try it", send: "Send", failed: "No answer",
    absent: "The document is not available just now.", none: "Nothing matches.",
    in_path: "in the path", in_query: "in the query", in_header: "header", in_cookie: "cookie",
    other: "Other", document: "OpenAPI document", default: "default", code: "code", meaning: "meaning",
  },
  fr: {
    all: "Tous les services", search: "Rechercher une opération", token: "Jeton d’accès",
    tokenNote: "Envoyé avec « Essayer ». Gardé dans cet onglet seulement. Connexion : POST /api/auth/login.",
    parameters: "Paramètres", body: "Corps de la requête", answers: "Réponses", errors: "Erreurs",
    required: "obligatoire", needs: "Exige", public: "Sans jeton", signedIn: "Tout utilisateur connecté",
    example: "Exemple", tryIt: "Essayer", send: "Envoyer", failed: "Pas de réponse",
    absent: "Le document n’est pas disponible pour l’instant.", none: "Aucun résultat.",
    in_path: "dans le chemin", in_query: "dans la requête", in_header: "en-tête", in_cookie: "cookie",
    other: "Divers", document: "Document OpenAPI", default: "par défaut", code: "code", meaning: "signification",
  },
};

const asked = new URLSearchParams(location.search).get("lang");
export const language = (asked || navigator.language || "en").startsWith("fr") ? "fr" : "en";
export const words = WORDS[language];
